"use strict";
// Sorting and filtering of tables; without this script they are whole and in the order of accuracy.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, index) => {
    const cell = row.cells[index];
    const value = cell.dataset.value;
    if (value !== undefined) return value === "" ? null : Number(value);
    return cell.textContent.trim().toLowerCase() || null;
  };
  const sort = (index, direction) => {
    const rows = [...body.rows].map((row) => [key(row, index), row]);
    rows.sort(([one], [other]) => {
      if (one === null || other === null) return (one === null) - (other === null);
      return (one < other ? -1 : one > other ? 1 : 0) * direction;
    });
    body.append(...rows.map(([, row]) => row));
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[index].setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  };
  heads.forEach((head, index) => {
    const label = head.querySelector(".label");
    const button = document.createElement("button");
    button.type = "button";
    button.append(...label.childNodes);
    label.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const first = head.dataset.better === "higher" ? -1 : 1;
      sort(index, before === null ? first : before === "ascending" ? -1 : 1);
    });
  });
}
for (const tools of document.querySelectorAll(".tools")) {
  const input = tools.querySelector("input[type=search]");
  const table = document.getElementById(input.getAttribute("aria-controls"));
  const rows = [...table.tBodies[0].rows];
  const count = tools.querySelector("output");
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.dataset.text.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${rows.length} rows`;
  };
  input.addEventListener("input", filter);
  const all = tools.querySelector("input[type=checkbox]");
  const brief = () => table.classList.toggle("brief", all !== null && !all.checked);
  all?.addEventListener("input", brief);
  brief();
  tools.hidden = false;
  filter();
}

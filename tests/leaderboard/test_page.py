"""The site is whole, says what the records say, runs nothing that it did not bring, and is the same again."""

import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hearspike.datasets import read_spike_file
from hearspike.errors import InputError
from hearspike.leaderboard.page import write_site
from hearspike.leaderboard.record import read_record
from hearspike.leaderboard.run_page import first_test_sample

HOSTILE = "<script>alert(1)</script>\"' onload=alert(2) {{7*7}}"
VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}


class Page(HTMLParser):
    """Gathers what a page is made of, and checks that tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.attributes if tag == name]


@pytest.fixture
def runs(tmp_path: Path, write_run: Any) -> Path:
    """Rows with every kind of trouble: hostile names, chips, failures, one seed."""
    folder = tmp_path / "runs"
    for seed in range(5):
        write_run(folder / f"good-{seed}", model="good", accuracy=0.8, seed=seed)
        write_run(folder / f"chips-{seed}", model="good", backend="bss2", chips=20, accuracy=0.7, seed=seed)
    write_run(folder / HOSTILE.replace("/", " "), model=HOSTILE, accuracy=0.6, notes=[HOSTILE])
    failed = {"predictions": False, "metrics": {}, "status": "failed", "reason": HOSTILE}
    write_run(folder / "failed", model="good", seed=9, **failed)
    write_run(folder / "shd", task="shd", accuracy=0.5)
    return folder


def test_every_run_has_a_page_and_every_link_leads_somewhere(runs: Path, tmp_path: Path) -> None:
    """Tags close in order; links stay inside the site; targets exist."""
    site = tmp_path / "site"
    assert write_site(runs, site) == 13
    pages = {path.relative_to(site): Page(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert len(pages) == 14
    for path, page in pages.items():
        ids = [attributes["id"] for _, attributes in page.attributes if "id" in attributes]
        assert len(ids) == len(set(ids))
        for link in (str(attributes["href"]) for attributes in page.tags("a")):
            target, _, anchor = link.partition("#")
            file = (site / path.parent / target).resolve() if target else site / path
            assert file.is_relative_to(site.resolve())
            assert file.is_file()
            assert not anchor or anchor in ids


def test_nothing_runs_or_loads_but_what_the_page_brings(runs: Path, tmp_path: Path) -> None:
    """One script and one style, in the page, allowed by checksum; no other source, no inline handler."""
    write_site(runs, tmp_path / "site")
    for path in (tmp_path / "site").rglob("*.html"):
        page = Page(path.read_text("utf-8"))
        policy = next(str(item["content"]) for item in page.tags("meta") if "http-equiv" in item)
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert len(page.tags("script")) == len(page.tags("style")) == 1
        assert not page.tags("link") + page.tags("img") + page.tags("iframe")
        for tag, attributes in page.attributes:
            assert not {name for name in attributes if name.startswith("on") or name in ("style", "src")}, tag


def test_many_yields_are_folded_away_and_tasks_of_one_name_are_told_apart(
    tmp_path: Path, write_run: Any
) -> None:
    """Four histograms are in a closed part of the page, three in an open one; data tell tasks apart."""
    for number in range(4):
        write_run(tmp_path / "runs" / str(number), model=f"m{number}", backend="bss2", chips=4)
    for number in range(3):
        run = tmp_path / "runs" / f"other {number}"
        write_run(run, model=f"m{number}", backend="bss2", chips=4, data="f" * 64)
    write_site(tmp_path / "runs", tmp_path / "site")
    text = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert text.count("<details><summary>Yield of chips") == 1
    assert text.count("<details open><summary>Yield of chips") == 1
    links = text.partition('aria-label="Tasks"')[2].partition("</nav>")[0]
    assert links.count(">digits, data ") == 2


def test_hostile_names_are_text(runs: Path, tmp_path: Path) -> None:
    """As model, note, reason and folder; a template in a name is not filled in."""
    write_site(runs, tmp_path / "site")
    text = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert HOSTILE in Page(text).texts
    assert "<script>alert" not in text
    for path in (tmp_path / "site" / "runs").iterdir():
        assert "<script>alert" not in path.read_text("utf-8")


def test_page_shows_what_the_table_shows(runs: Path, tmp_path: Path) -> None:
    """Ranks, published results with their source, reasons, and both trade-offs and yields."""
    write_site(runs, tmp_path / "site")
    text = " ".join(Page((tmp_path / "site" / "index.html").read_text("utf-8")).texts)
    for part in (
        "not ranked: 1 seed; a ranked row needs 5",
        "no chips: a run in software",
        "5 (1 failed)",
        "IEEE TNNLS 33 (2022) 2744",
        "Accuracy and energy",
        "Accuracy and spikes",
        "Yield of chips: good",
        "operations, 45 nm",
    ):
        assert part in text, part


def test_page_of_a_run_shows_config_pictures_and_command(runs: Path, tmp_path: Path) -> None:
    """Confusion matrix, learning curves, chips, and how to make it again."""
    write_site(runs, tmp_path / "site")
    (file,) = (tmp_path / "site" / "runs").glob("chips-3-*.html")
    text = file.read_text("utf-8")
    texts = " ".join(Page(text).texts)
    assert "hearspike reproduce chips-3" in texts
    assert "backend:\n  name: bss2" in texts
    for part in ("Which was taken for which", "Training loss", "Yield of chips", "Test processor"):
        assert part in texts
    assert "No raster: the task is not in spike files." in texts
    assert 'class="hit"' in text


def test_same_bytes_from_the_same_records(runs: Path, tmp_path: Path) -> None:
    """Written again in place of itself, and from copies elsewhere."""
    write_site(runs, tmp_path / "site")
    first = {path.name: path.read_bytes() for path in (tmp_path / "site").rglob("*.html")}
    shutil.copytree(runs, tmp_path / "copy", ignore=shutil.ignore_patterns(".index*"))
    for folder, site in ((runs, "site"), (tmp_path / "copy", "other")):
        write_site(folder, tmp_path / site)
        assert {path.name: path.read_bytes() for path in (tmp_path / site).rglob("*.html")} == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "other", "runs", "site"]


def test_only_a_site_of_ours_is_replaced(runs: Path, tmp_path: Path) -> None:
    """A folder with anything else stays as it is."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("mine")
    with pytest.raises(InputError, match="--page"):
        write_site(runs, tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text() == "mine"


def test_no_runs_make_a_page_that_says_so(tmp_path: Path) -> None:
    """And how to make one."""
    (tmp_path / "runs").mkdir()
    assert write_site(tmp_path / "runs", tmp_path / "site") == 0
    assert "hearspike evaluate" in (tmp_path / "site" / "index.html").read_text("utf-8")


def test_raster_is_of_the_first_test_sample(task_folder: Path, write_run: Any, tmp_path: Path) -> None:
    """Read by h5py beside it; none from a file that is not the one of the run."""
    dataset = {"name": "fsdd", "root": str(task_folder), "test": "test.h5"}
    config = {"dataset": dataset, "model": {"name": "m"}, "backend": {"name": "software"}, "seed": 0}
    import hashlib

    checksum = hashlib.sha256((task_folder / "test.h5").read_bytes()).hexdigest()
    for name, data in (("right", checksum), ("wrong", "0" * 64)):
        write_run(tmp_path / name, data=data, config=config)
    sample = first_test_sample(read_record(tmp_path / "right" / "record.json"))
    assert not isinstance(sample, str)
    with h5py.File(task_folder / "test.h5") as file:
        np.testing.assert_allclose(sample[0], file["spikes/times"][0])
        np.testing.assert_array_equal(sample[1], file["spikes/units"][0])
        assert sample[2] == file["labels"][0]
    assert sample[3] == read_spike_file(task_folder / "test.h5").events.channels
    wrong = first_test_sample(read_record(tmp_path / "wrong" / "record.json"))
    assert wrong == "the test file is not the one that the run read"

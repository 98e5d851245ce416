"""The site in a real browser: Debian's Chromium without a window, from disk."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hearspike.leaderboard.metrics import Metric
from hearspike.leaderboard.page import write_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = pytest.mark.browser

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Start the browser; without one the tests skip, as .ci/run may not be allowed to install it."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser is installed; looked for {', '.join(BROWSERS)}")
    # Chromium refuses to run as root in its sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, write_run: Any) -> Path:
    """Three models, chips, a hostile name, and a row with a single seed."""
    folder = tmp_path_factory.mktemp("browser")
    memory = {"footprint": Metric(1000.0, "B", "lower")}
    for seed in range(5):
        run = folder / "runs" / f"good-{seed}"
        write_run(run, model="good", accuracy=0.8, seed=seed, metrics=memory)
        write_run(
            folder / "runs" / f"chips-{seed}", model="good", backend="bss2", chips=20, accuracy=0.6, seed=seed
        )
    write_run(folder / "runs" / "hostile", model=HOSTILE, accuracy=0.7, notes=[HOSTILE], task="digits")
    write_site(folder / "runs", folder / "site")
    return folder / "site"


@pytest.fixture
def page(browser: "Browser", site: Path) -> "Iterator[Page]":
    """The leaderboard, with every dialog, error and request on record."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    events: list[str] = []

    def refuse(dialog: "Dialog") -> None:
        events.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.on("dialog", refuse)
    page.on("console", lambda message: events.append(f"console {message.text}"))
    page.on("pageerror", lambda error: events.append(f"error {error}"))
    page.on("request", lambda request: events.append(request.url))
    page.goto((site / "index.html").as_uri())
    yield page
    assert [event for event in events if not event.startswith(site.as_uri())] == []
    context.close()


def column(page: "Page", selector: str) -> list[str]:
    cells = page.locator(f"#table-task-1 tbody tr:not([hidden]) {selector}")
    return [text.split("\n")[0] for text in cells.all_inner_texts()]


def test_hostile_names_are_text_in_the_browser(page: "Page", site: Path) -> None:
    """They are shown, on the leaderboard and on the page of the run; no dialog, no script, no request."""
    assert page.get_by_text(HOSTILE, exact=True).first.is_visible()
    (run,) = (site / "runs").glob("hostile-*.html")
    page.goto(run.as_uri())
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.locator("img").count() == 0


def test_the_policy_stops_a_script_that_got_in(browser: "Browser", site: Path) -> None:
    """An element that would run code does not: the page's own policy forbids it."""
    page = browser.new_page()
    page.goto((site / "index.html").as_uri())
    ran = page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.intruder = true";
            const report = new Promise((resolve) =>
                document.addEventListener("securitypolicyviolation", () => resolve("stopped")));
            document.body.append(script);
            return window.intruder ? "ran" : report;
        }"""
    )
    assert ran == "stopped"
    page.close()


def test_headings_sort_by_mouse_and_by_keyboard(page: "Page") -> None:
    """Accuracy both ways, names by alphabet, the state told to screen readers."""
    assert column(page, "th span") == ["good", HOSTILE, "good"]
    heading = page.get_by_role("button", name="accuracy", exact=True)
    heading.click()
    heading.click()
    values = [float(text.split()[0]) for text in column(page, "td.accuracy")]
    assert values == sorted(values)
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.get_by_role("button", name="model", exact=True).focus()
    page.keyboard.press("Enter")
    assert column(page, "th span") == [HOSTILE, "good", "good"]
    assert page.locator("th[aria-sort]").count() == 1


def test_empty_cells_sort_last_both_ways(page: "Page") -> None:
    """Rows in software have no median chip."""
    heading = page.get_by_role("button", name="median chip", exact=True)
    for _ in range(2):
        heading.click()
        assert column(page, "th small")[0] == "bss2, 20 chips"


def test_filter_hides_rows_and_counts_them(page: "Page") -> None:
    """Every word must occur; the count is a live region."""
    box = page.get_by_label("Filter rows")
    box.fill("GOOD bss2")
    assert column(page, "th small") == ["bss2, 20 chips"]
    assert page.locator(".tools output").inner_text() == "1 of 3 rows"
    box.fill("")
    assert len(column(page, "th small")) == 3


def test_columns_for_those_who_ask_are_shown_on_demand(page: "Page") -> None:
    """Memory is hidden until the box is ticked, and again after."""
    box, memory = page.get_by_label("All columns"), page.locator("thead .detail").first
    for wanted in (False, True, False):
        box.set_checked(wanted)
        assert memory.is_visible() == wanted


def test_everything_is_reached_by_keyboard(page: "Page") -> None:
    """Tab goes to the skip link, the filter, the table, its headings, links and details, each in sight."""
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.tagName + '.' + document.activeElement.className"))
    assert seen[0] == "A.skip"
    assert {"INPUT.", "DIV.scroll", "BUTTON.", "SUMMARY."} <= set(seen)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_controls_have_names(page: "Page") -> None:
    """Inputs, buttons, links, pictures and regions all say what they are."""
    nameless = page.evaluate(
        """() => {
            const items = document.querySelectorAll("input, button, a, svg[role=img], [role=region]");
            const named = (item) => item.getAttribute("aria-label") || item.getAttribute("aria-labelledby")
                || item.textContent.trim() || (item.labels && item.labels.length);
            return [...items].filter((item) => !named(item)).map((item) => item.outerHTML);
        }"""
    )
    assert nameless == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_but_tables_scrolls_sideways(browser: "Browser", site: Path, width: int) -> None:
    """On a phone, too: the page is as wide as the screen."""
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    for file in (site / "index.html", *sorted((site / "runs").iterdir())[:2]):
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: "Browser", site: Path, scheme: Any) -> None:
    """Contrast of 4.5 : 1 and more (WCAG 2.2, 1.4.3 AA) in both schemes, which differ."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    lightness, contrast = page.evaluate(
        """() => {
            const channel = (value) =>
                (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
            const luminance = (colour) => {
                const [red, green, blue] = colour.match(/[\\d.]+/g).map(Number).map(channel);
                return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
            };
            const style = (selector) => getComputedStyle(document.querySelector(selector));
            const ground = luminance(style("body").backgroundColor);
            const texts = ["h1", ".lead", ".notes", ".fine", "td.number", "thead th", "tbody a"];
            const ratios = texts.map((selector) => {
                const text = luminance(style(selector).color);
                return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
            });
            return [ground, Math.min(...ratios)];
        }"""
    )
    assert contrast >= 4.5
    assert (lightness < 0.1) == (scheme == "dark")
    context.close()


def test_without_script_the_table_is_whole(browser: "Browser", site: Path) -> None:
    """All rows in the order of accuracy, no dead controls."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    assert page.locator("#table-task-1 tbody tr").count() == 3
    assert page.locator("button").count() == 0
    assert page.locator(".tools").is_hidden()
    context.close()

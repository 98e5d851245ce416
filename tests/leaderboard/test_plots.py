"""Pictures are well-formed SVG that shows what it is given, names as text."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from hearspike.leaderboard.plots import (
    Point,
    confusion_matrix,
    curve,
    histogram,
    pareto_front,
    raster,
    scatter,
    whisker,
)

HOSTILE = '<script>alert("1")</script>&\'{}'


def point(x: float, y: float, label: str = "a") -> Point:
    return Point(label, "software", x, y, y - 1, y + 1, "#row")


def parse(picture: Markup) -> ET.Element:
    return ET.fromstring(picture)  # our own picture


positive = st.floats(1e-9, 1e9)


@given(st.lists(st.tuples(positive, st.floats(0, 100)), min_size=1, max_size=30))
def test_pareto_front_is_what_nothing_beats(places: list[tuple[float, float]]) -> None:
    """Against the definition: no other point has less cost and more accuracy, one of them strictly."""
    points = [point(x, y) for x, y in places]
    front = {(item.x, item.y) for item in pareto_front(points)}
    expected = {
        (item.x, item.y)
        for item in points
        if not any(
            other.x <= item.x and other.y >= item.y and (other.x, other.y) != (item.x, item.y)
            for other in points
        )
    }
    assert front == expected


@given(st.lists(st.tuples(positive, st.floats(0, 100)), min_size=1, max_size=8), st.text(max_size=30))
def test_scatter_marks_every_point_inside_the_picture(places: list[tuple[float, float]], name: str) -> None:
    """Well-formed whatever numbers and names, at least two ticks on each axis."""
    name = re.sub(r"[^\x20-\ud7ff]", "", name)  # what XML can hold
    picture = parse(scatter([point(x, y, name) for x, y in places], title=name, x_title="x", y_title="y"))
    circles = picture.findall(".//circle")
    assert len(circles) == len(places)
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    for circle in circles:
        assert 0 <= float(circle.attrib["cx"]) <= width
        assert 0 <= float(circle.attrib["cy"]) <= height
    assert len(picture.findall(".//path[@class='grid']")) >= 4


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200))
def test_histogram_counts_every_chip(values: list[float]) -> None:
    """The bars add up to the number of chips."""
    picture = parse(histogram(values, title="t", x_title="x"))
    tips = [bar[0].text or "" for bar in picture.findall(".//rect[@class='bar']")]
    assert sum(int(tip.split(": ")[1].split()[0]) for tip in tips) == len(values)


@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=80))
def test_curve_has_a_bead_for_every_epoch_with_a_value(values: list[float | None]) -> None:
    """Epochs without one are passed over."""
    known = [value for value in values if value is not None]
    if not known:
        return
    beads = parse(curve(values, title="t", y_title="y")).findall(".//circle")
    assert len(beads) == (len(known) if len(known) <= 60 else 0)


def test_confusion_matrix_shows_counts_and_names_as_text() -> None:
    """One square for every pair that occurs; hostile names stay text."""
    counts = np.array([[3, 1], [0, 4]])
    picture = confusion_matrix(counts, [HOSTILE, "two"], title=HOSTILE)
    assert "<script" not in picture
    parsed = parse(picture)
    assert len(parsed.findall(".//rect[@class='hit']")) == 2
    assert len(parsed.findall(".//rect[@class='miss']")) == 1
    assert HOSTILE in [text.text for text in parsed.findall(".//text")]
    assert "7 of 8 answers right" in parsed.attrib["aria-label"]


@pytest.mark.parametrize("spikes", [0, 1, 500, 20_000])
def test_raster_draws_every_spike_or_says_what_is_left_out(spikes: int) -> None:
    """Up to 6000 dots."""
    rng = np.random.default_rng(0)
    times, units = rng.random(spikes), rng.integers(0, 700, spikes)
    picture = parse(raster(times, units, title="t", channels=700))
    (path,) = picture.findall(".//path[@class='spikes']")
    drawn = path.attrib["d"].count("h1")
    assert drawn == (spikes if spikes <= 6000 else np.sum(units % 4 == 0))
    assert ("every 4th channel" in picture.attrib["aria-label"]) == (spikes > 6000)


def test_whisker_is_well_formed() -> None:
    """With an interval and without."""
    assert len(parse(whisker(50.0, 40.0, 60.0))) == 3
    assert len(parse(whisker(50.0, None, None))) == 2

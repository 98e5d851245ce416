"""Pictures of the site as SVG: plain text made of numbers, so that the same records give the same bytes.

Colours and fonts come from the style sheet of the page, so a picture follows light and dark. Every picture
has a title and a description for those who do not see it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hearspike.leaderboard.columns import significant

_WIDTH, _HEIGHT = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 14, 44
_LETTER_PX = 6.4
_MARGIN = 1.35
"""Factor by which a logarithmic axis goes on beyond its points."""


@dataclass(frozen=True)
class Point:
    """One row in a scatter plot.

    Parameters
    ----------
    label
        Its name.
    kind
        ``software`` or another backend; decides on the mark.
    x, y
        Where it is. ``x`` is on a logarithmic axis, so above 0.
    low, high
        Ends of an interval of ``y``, None for none.
    link
        Where a click leads.
    """

    label: str
    kind: str
    x: float
    y: float
    low: float | None
    high: float | None
    link: str


@dataclass(frozen=True)
class _Axes:
    """From numbers to places in the picture."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    logarithmic: bool = False

    def x(self, value: float) -> float:
        low, high = self.x_range
        if self.logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats in both: less ``x`` and more ``y``, by rising ``x``."""
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point.x, -point.y)):
        if not front or point.y > front[-1].y:
            front.append(point)
    return front


def scatter(points: Sequence[Point], *, title: str, x_title: str, y_title: str) -> Markup:
    """Draw points with their intervals and their Pareto front; the x axis is logarithmic."""
    xs = [point.x for point in points]
    x_ticks = _log_ticks(min(xs), max(xs))
    ends = [end for point in points for end in (point.low, point.high, point.y) if end is not None]
    y_ticks = _ticks(min(ends), max(ends))
    axes = _Axes((min(xs) / _MARGIN, max(xs) * _MARGIN), (y_ticks[0], y_ticks[-1]), True)
    parts = [_frame(axes, x_ticks, y_ticks, x_title, y_title)]
    front = pareto_front(points)
    steps = f"M{axes.x(front[0].x):.1f},{axes.y(front[0].y):.1f}"
    steps += "".join(f"H{axes.x(point.x):.1f}V{axes.y(point.y):.1f}" for point in front[1:])
    parts.append(Markup('<path class="front" d="{}H{}"/>').format(steps, _WIDTH - _RIGHT))
    taken = [_box(axes.x(point.x) - 6, axes.y(point.y) - 6, 12, 12) for point in points]
    for point, end in zip(front, [*(axes.x(point.x) for point in front[1:]), _WIDTH - _RIGHT], strict=True):
        taken.append(_box(axes.x(point.x), axes.y(point.y) - 1, end - axes.x(point.x), 2))
    labels = {  # the front has the first choice of room
        id(point): _label(point.label, axes.x(point.x), axes.y(point.y), taken)
        for point in [*front, *(point for point in points if not any(point is other for other in front))]
    }
    for point in points:
        x, y = axes.x(point.x), axes.y(point.y)
        whisker = Markup("")
        if point.low is not None and point.high is not None:
            whisker = Markup('<path class="whisker" d="M{0:.1f},{1:.1f}V{2:.1f}"/>').format(
                x, axes.y(point.low), axes.y(point.high)
            )
        mark = (
            Markup('<circle class="dot software" cx="{:.1f}" cy="{:.1f}" r="5"/>').format(x, y)
            if point.kind == "software"
            else Markup('<rect class="dot chips" x="{:.1f}" y="{:.1f}" width="10" height="10"/>').format(
                x - 5, y - 5
            )
        )
        tip = f"{point.label}, {point.kind}: {point.y:.1f} at {significant(point.x)}"
        parts.append(
            Markup('<a href="{}"><title>{}</title>{}{}{}</a>').format(
                point.link, tip, whisker, mark, labels[id(point)]
            )
        )
    description = "; ".join(
        f"{point.label}, {point.kind}: {point.y:.1f} at {significant(point.x)}" for point in points
    )
    return _svg(parts, title, description)


_Box = tuple[float, float, float, float]


def _box(x: float, y: float, width: float, height: float) -> _Box:
    return x, y, x + width, y + height


def _label(text: str, x: float, y: float, taken: list[_Box]) -> Markup:
    """Write a name beside its mark where there is room, else not at all; the title still has it."""
    width = _LETTER_PX * len(text)
    for anchor, left, base in (
        ("start", x + 9, y + 4),
        ("end", x - 9 - width, y + 4),
        ("start", x + 7, y - 8),
        ("end", x - 7 - width, y - 8),
        ("start", x + 7, y + 17),
        ("end", x - 7 - width, y + 17),
    ):
        box = _box(left, base - 11, width, 14)
        inside = box[0] >= _LEFT and box[2] <= _WIDTH and box[1] >= 0 and box[3] <= _HEIGHT - _BOTTOM
        if inside and not any(_overlap(box, other) for other in taken):
            taken.append(box)
            place = left if anchor == "start" else left + width
            return Markup('<text class="name" text-anchor="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(
                anchor, place, base, text
            )
    return Markup("")


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def histogram(values: Sequence[float], *, title: str, x_title: str) -> Markup:
    """Draw how often values between 0 and 100 occur, with median and 5th percentile."""
    low, high = math.floor(min(values)), math.floor(max(values)) + 1
    width = next(step for step in (1, 2, 5, 10) if (high - low) / step <= 24)
    low, high = low // width * width, -(-high // width) * width
    edges = np.arange(low, high + width, width)
    counts, _ = np.histogram(values, bins=edges)
    y_ticks = [tick for tick in _ticks(0, max(4, *counts)) if tick == int(tick)]
    axes = _Axes((low, high), (0, 1.25 * y_ticks[-1]))  # room for words above the bars
    x_ticks = [tick for tick in _ticks(low, high) if low <= tick <= high]
    parts = [_frame(axes, x_ticks, y_ticks, x_title, "chips")]
    for edge, count in zip(edges[:-1], counts, strict=True):
        if count:
            x, y = axes.x(float(edge)), axes.y(float(count))
            bar_width = axes.x(float(edge + width)) - x - 2
            parts.append(
                Markup(
                    '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
                    "<title>{} to {} %: {} chips</title></rect>"
                ).format(x + 1, y, bar_width, axes.y(0) - y, edge, edge + width, count)
            )
    fifth = sorted(values)[math.floor(0.05 * len(values))]
    # The rule of the median begins below the words of the 5th percentile, which lies to its left.
    for name, value, row in (("5th percentile", fifth, 0), ("median", float(np.median(values)), 1)):
        x, top = axes.x(value), _TOP + 14 * row
        words = _LETTER_PX * len(f"{name} {value:.1f}")
        anchor, shift = ("start", 4) if x + words < _WIDTH - _RIGHT else ("end", -4)
        parts.append(
            Markup(
                '<path class="rule" d="M{:.1f},{}V{}"/>'
                '<text class="name" text-anchor="{}" x="{:.1f}" y="{}">{} {:.1f}</text>'
            ).format(x, top, _HEIGHT - _BOTTOM, anchor, x + shift, top + 11, name, value)
        )
    return _svg(
        parts, title, f"{len(values)} chips, median {np.median(values):.1f} %, 5th percentile {fifth:.1f} %"
    )


def curve(values: Sequence[float | None], *, title: str, y_title: str) -> Markup:
    """Draw a quantity over the epochs of training."""
    known = [(epoch, value) for epoch, value in enumerate(values, 1) if value is not None]
    y_ticks = _ticks(min(value for _, value in known), max(value for _, value in known))
    axes = _Axes((0.5, len(values) + 0.5), (y_ticks[0], y_ticks[-1]))
    x_ticks = [
        tick for tick in _ticks(1, max(2, len(values))) if tick == int(tick) and 1 <= tick <= len(values)
    ]
    line = "L".join(f"{axes.x(epoch):.1f},{axes.y(value):.1f}" for epoch, value in known)
    parts = [
        _frame(axes, x_ticks, y_ticks, "epoch", y_title),
        Markup('<path class="line" d="M{}"/>').format(line),
        *(
            Markup('<circle class="bead" cx="{:.1f}" cy="{:.1f}" r="2.5"/>').format(
                axes.x(epoch), axes.y(value)
            )
            for epoch, value in known
            if len(known) <= 60
        ),
    ]
    return _svg(parts, title, f"from {known[0][1]:.3g} to {known[-1][1]:.3g} in {len(values)} epochs")


def confusion_matrix(counts: NDArray[np.integer], names: Sequence[str], *, title: str) -> Markup:
    """Draw which class was taken for which: rows are true classes, columns answers, shade their share."""
    classes = len(names)
    left, top = 18 + _LETTER_PX * max(len(name) for name in names), 24
    size = min(26.0, 460 / classes)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    parts = [
        Markup('<text class="axis" x="{:.1f}" y="14">answer</text>').format(left),
    ]
    for true in range(classes):
        y = top + true * size
        parts.append(
            Markup('<text class="tick" text-anchor="end" x="{:.1f}" y="{:.1f}">{}</text>').format(
                left - 6, y + size / 2 + 4, names[true]
            )
        )
        for answer in range(classes):
            if counts[true, answer]:
                parts.append(
                    Markup(
                        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" '
                        'fill-opacity="{:.2f}"><title>{} taken for {}: {}</title></rect>'
                    ).format(
                        "hit" if true == answer else "miss",
                        left + answer * size,
                        y,
                        size - 1,
                        size - 1,
                        0.08 + 0.92 * shares[true, answer],
                        names[true],
                        names[answer],
                        counts[true, answer],
                    )
                )
    bottom = top + classes * size
    for answer, name in enumerate(names):
        x = left + (answer + 0.5) * size
        parts.append(
            Markup(
                '<text class="tick" text-anchor="end" '
                'transform="translate({:.1f},{:.1f})rotate(-60)">{}</text>'
            ).format(x + 4, bottom + 10, name)
        )
    parts.append(
        Markup('<rect class="frame" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            left - 0.5, top - 0.5, classes * size, classes * size
        )
    )
    right = int(np.trace(counts))
    height = bottom + 12 + 0.9 * _LETTER_PX * max(len(name) for name in names)
    return _svg(
        parts, title, f"{right} of {int(counts.sum())} answers right", left + classes * size + 8, height
    )


def raster(times: NDArray[np.floating], units: NDArray[np.integer], *, title: str, channels: int) -> Markup:
    """Draw a dot for every spike: time in seconds to the right, channel upwards.

    With more than 6000 spikes, those of every second, third… channel, and the description says so.
    """
    every = max(1, math.ceil(len(times) / 6000))
    shown = units % every == 0
    axes = _Axes((0.0, max(0.1, float(times.max()) if len(times) else 0.1)), (0, channels))
    place = zip(times[shown].tolist(), units[shown].tolist(), strict=True)
    dots = "".join(f"M{axes.x(time):.1f},{axes.y(unit):.1f}h1" for time, unit in sorted(place))
    parts = [
        _frame(axes, _ticks(0, axes.x_range[1])[:-1], [0, channels / 2, channels], "time (s)", "channel"),
        Markup('<path class="spikes" d="{}"/>').format(dots),
    ]
    part = f", of which those of every {every}th channel are drawn" if every > 1 else ""
    return _svg(parts, title, f"{len(times)} spikes{part}")


def whisker(value: float, low: float | None, high: float | None) -> Markup:
    """Draw a number between 0 and 100 with its interval, in the size of a word."""
    line = Markup("")
    if low is not None and high is not None:
        line = Markup('<path class="whisker" d="M{:.1f},7H{:.1f}"/>').format(0.8 * low + 4, 0.8 * high + 4)
    return Markup(
        '<svg class="spark" viewBox="0 0 88 14" aria-hidden="true"><path class="base" d="M4,7H84"/>{}'
        '<circle class="dot" cx="{:.1f}" cy="7" r="3"/></svg>'
    ).format(line, 0.8 * value + 4)


def _svg(
    parts: Sequence[Markup], title: str, description: str, width: float = _WIDTH, height: float = _HEIGHT
) -> Markup:
    return Markup(
        '<svg class="plot" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}. {}">{}</svg>'
    ).format(width, height, title, description, Markup("").join(parts))


def _frame(
    axes: _Axes, x_ticks: Sequence[float], y_ticks: Sequence[float], x_title: str, y_title: str
) -> Markup:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = []
    for tick in y_ticks:
        y = axes.y(tick)
        parts.append(
            Markup(
                '<path class="grid" d="M{},{:.1f}H{}"/>'
                '<text class="tick" text-anchor="end" x="{}" y="{:.1f}">{}</text>'
            ).format(_LEFT, y, right, _LEFT - 7, y + 4, f"{tick:g}")
        )
    for tick in x_ticks:
        x = axes.x(tick)
        parts.append(
            Markup(
                '<path class="grid" d="M{0:.1f},{1}V{2}"/>'
                '<text class="tick" text-anchor="middle" x="{0:.1f}" y="{3}">{4}</text>'
            ).format(x, bottom, bottom + 4, bottom + 18, f"{tick:g}")
        )
    parts.append(
        Markup(
            '<text class="axis" text-anchor="end" x="{}" y="{}">{}</text>'
            '<text class="axis" text-anchor="end" transform="translate(12,{})rotate(-90)">{}</text>'
        ).format(right, _HEIGHT - 8, x_title, _TOP, y_title)
    )
    return Markup("").join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers that span a range, about five."""
    span = max(high - low, 1e-9 + abs(high) * 1e-3)
    raw = span / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers that span a range on a logarithmic axis, from three to about seven."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    for factors in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), tuple(np.arange(1, 10, 1.0))):
        ticks = [round(factor * 10.0**power, 12) for power in powers for factor in factors]
        inside = [tick for tick in ticks if low / _MARGIN <= tick <= high * _MARGIN]
        if len(inside) >= 3:
            return inside[:: math.ceil(len(inside) / 7)]
    return [low, high]

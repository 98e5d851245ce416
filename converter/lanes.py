"""Channels go through the kernels side by side, `LANES` at a time, so that each instruction serves many."""

from collections.abc import Iterator

LANES = 64


def lane_blocks(channels: int) -> Iterator[range]:
    """Ranges of at most `LANES` channels that cover ``channels``."""
    for first in range(0, channels, LANES):
        yield range(first, min(first + LANES, channels))

"""How long work tells how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int, str], None]
"""Called with the stage, the steps done, the steps in all, and a word on how it goes."""


def no_progress(stage: str, done: int, total: int, note: str) -> None:
    """Report to nobody."""

"""One share of a job, for queues that start many small jobs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from hearspike.errors import InputError

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """Every ``count``-th utterance, from number ``index`` on (counted from 1)."""

    index: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str | None) -> "Shard":
        """Read ``3/16``; None is the whole.

        Raises
        ------
        InputError
            If it is nothing of this kind.
        """
        if text is None:
            return cls()
        match = re.fullmatch(r"(\d+)/(\d+)", str(text))
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise InputError("shard", text, "a share such as 3/16: the third of sixteen, or null for all")
        return cls(int(match[1]), int(match[2]))

    @property
    def suffix(self) -> str:
        """For names of files that each shard writes for itself."""
        return f"-{self.index}-of-{self.count}" if self.count > 1 else ""

    def of(self, items: Sequence[Item]) -> list[Item]:
        """Return this shard's share; neighbours go to different shards, so that all take equally long."""
        return list(items[self.index - 1 :: self.count])

"""Every parameter of the converter has a unit or range in its docstring, a source, and a check."""

import re
from dataclasses import fields
from typing import Any

import pytest

from hearspike.converter import (
    BushyCellParameters,
    Conditioning,
    FibreType,
    HairCellParameters,
    MembraneParameters,
)
from hearspike.errors import InputError

SETS: list[type[Any]] = [Conditioning, MembraneParameters, HairCellParameters, BushyCellParameters, FibreType]
CHOICES = {"window", "ear", "level_over", "synthesis", "scheme"}
NUMBERS = [(kind, one.name) for kind in SETS for one in fields(kind) if one.name not in CHOICES]


def _arguments(kind: type[Any]) -> dict[str, Any]:
    return {"share": 1.0} if kind is FibreType else {}


@pytest.mark.parametrize(("kind", "name"), NUMBERS)
def test_every_number_is_documented_with_its_range(kind: type[Any], name: str) -> None:
    """In an entry of its own, which says where the range begins."""
    entry = re.search(rf"\n    {name}\n((?:        .*\n)+)", kind.__doc__ or "")
    assert entry is not None
    text = " ".join(entry[1].split())
    assert re.search(r"above 0|at least|… ", text), text
    if kind is not FibreType and name != "emphasis_corner_hz":
        assert re.search(r"\d{4}|published|assumed", text), f"no source: {text}"


@pytest.mark.parametrize(("kind", "name"), NUMBERS)
@pytest.mark.parametrize("wrong", [-1e9, float("nan"), float("inf"), "1", True])
def test_every_number_is_checked(kind: type[Any], name: str, wrong: Any) -> None:
    """Negative, not finite, no number, or a truth value: refused, and the field is named."""
    with pytest.raises(InputError, match=rf"{kind.__name__}\.{name}: got"):
        kind(**{**_arguments(kind), name: wrong})

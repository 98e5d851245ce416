"""The checks that every parameter set of the converter makes on its numbers when it is built."""

import math

from hearspike.errors import InputError


def require_number(
    owner: object,
    name: str,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float = math.inf,
) -> None:
    """Raise `InputError` unless attribute ``name`` of ``owner`` is a finite number in the given range.

    Parameters
    ----------
    owner
        A parameter set; its class gives the first half of the subject of the error.
    name
        The attribute to check.
    above
        Exclusive lower bound, if any.
    least
        Inclusive lower bound, if any.
    most
        Inclusive upper bound.
    """
    value = getattr(owner, name)
    expected = "a finite number"
    if above is not None:
        expected += f" above {above:g}"
    if least is not None:
        expected += f" of at least {least:g}"
    if most != math.inf:
        expected += f" and at most {most:g}"
    good = (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and (above is None or value > above)
        and (least is None or value >= least)
        and value <= most
    )
    if not good:
        raise InputError(f"{type(owner).__name__}.{name}", value, expected)


def require_whole(owner: object, name: str, *, least: int, most: int) -> None:
    """Raise `InputError` unless attribute ``name`` of ``owner`` is a whole number in ``least … most``."""
    require_range(f"{type(owner).__name__}.{name}", getattr(owner, name), least=least, most=most)


def require_range(subject: str, value: object, *, least: int, most: int) -> None:
    """Raise `InputError` unless ``value`` is a whole number in ``least … most``."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(subject, value, f"a whole number of at least {least} and at most {most}")


def require_choice(owner: object, name: str, choices: tuple[str, ...]) -> None:
    """Raise `InputError` unless attribute ``name`` of ``owner`` is one of ``choices``."""
    value = getattr(owner, name)
    if value not in choices:
        raise InputError(f"{type(owner).__name__}.{name}", value, f"one of {', '.join(choices)}")

"""How many threads a compiled loop is worth."""

from collections.abc import Iterator
from contextlib import contextmanager

SMALL = 500_000
"""Numbers in the largest array below which a loop runs on one thread."""


@contextmanager
def threads_for(numbers: int) -> Iterator[None]:
    """Run compiled loops over ``numbers`` numbers on one thread if they are few, else on all.

    On a busy machine the wait for a second thread takes longer than a small loop. No result depends on it.
    """
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1 if numbers < SMALL else before)
    try:
        yield
    finally:
        numba.set_num_threads(before)

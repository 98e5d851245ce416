"""Work shared among processes, on one machine or on a cluster, by one word."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import joblib

from hearspike.errors import InputError

BACKENDS = {
    "loky": "processes on this machine",
    "sequential": "no second process, for debugging",
    "dask": "a dask cluster: the one that DASK_SCHEDULER_ADDRESS names, otherwise one on this machine",
}
"""Names of joblib's backends that keep one utterance per process, and what they are."""


def check_backend(backend: str) -> None:
    """Raise `InputError` if there is no such backend or it is not installed."""
    if backend not in BACKENDS:
        raise InputError("backend", backend, f"one of {', '.join(BACKENDS)}")
    if backend == "dask":
        try:
            import distributed  # noqa: F401  # only whether it is there
        except ImportError:
            raise InputError(
                "backend", backend, "dask to be installed: pip install 'hearspike[dask]'"
            ) from None


def run_parallel(
    function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]], *, workers: int, backend: str
) -> Iterator[Any]:
    """Call a function for every tuple of arguments and yield the results in the same order.

    Parameters
    ----------
    function
        What to call; it and its arguments are sent to other processes.
    arguments
        One tuple for each call.
    workers
        Number of processes; a running dask cluster has its own.
    backend
        One of `BACKENDS`.
    """
    check_backend(backend)
    with (
        _cluster(workers if backend == "dask" else 0),
        _no_idle_processes(backend),
        joblib.parallel_config(backend, n_jobs=workers),
    ):
        calls = (joblib.delayed(function)(*call) for call in arguments)
        yield from joblib.Parallel(return_as="generator", batch_size="auto" if backend == "dask" else 4)(
            calls
        )


@contextmanager
def _no_idle_processes(backend: str) -> Iterator[None]:
    """End the pool that joblib would keep: with one, a worker of a sweep could never leave."""
    try:
        yield
    finally:
        if backend == "loky":
            from joblib.externals.loky import get_reusable_executor

            get_reusable_executor().shutdown(wait=True)


@contextmanager
def _cluster(workers: int) -> Iterator[None]:
    """Connect to the cluster that dask's own configuration names, or start one of ``workers`` processes."""
    if not workers:
        yield
        return
    distributed: Any = import_module("distributed")  # an extra, so the type checker must do without it
    address = import_module("dask").config.get("scheduler-address", None)
    if address:
        with distributed.Client(address):
            yield
    else:
        with (
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster),
        ):
            yield

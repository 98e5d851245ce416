"""Work shared among processes."""

import psutil

from hearspike.datasets.parallel import run_parallel


def test_results_come_in_order_and_no_process_stays() -> None:
    """A pool that stayed in a worker of a sweep kept that worker from leaving, and the sweep stood still."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    results = list(run_parallel(divmod, [(number, 3) for number in range(20)], workers=2, backend="loky"))
    assert results == [divmod(number, 3) for number in range(20)]
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    # joblib's resource tracker serves all pools of a process and ends with it.
    assert [child for child in left if "resource_tracker" not in " ".join(child.cmdline())] == []

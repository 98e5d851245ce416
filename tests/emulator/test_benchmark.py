"""The benchmark runs what it says it runs."""

from dataclasses import replace

import pytest

from hearspike.emulator import ChipProfile
from hearspike.emulator.benchmark import WORKLOADS, Workload, measure
from hearspike.errors import InputError


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_each_workload_fits_the_chip_spikes_and_is_timed(workload: Workload, everything: ChipProfile) -> None:
    # A tenth of speech's second, at the same rate of spikes: snnTorch takes its time for a thousand steps.
    shorter = 10 if workload.duration == 1.0 else 1
    workload = replace(
        workload, samples=4, duration=workload.duration / shorter, events=workload.events // shorter
    )
    timing = measure(workload, everything, chips=2, repeats=1)
    assert timing.hidden_spikes > 10
    assert timing.steps * workload.step == pytest.approx(workload.duration / workload.time_scale)
    assert timing.inferences_per_s == pytest.approx(8 / timing.wall_s)
    ratio = timing.inferences_per_s / timing.snntorch_inferences_per_s
    assert timing.ratio_to_snntorch == pytest.approx(ratio)
    assert timing.snntorch_hidden_spikes > 10


def test_no_repeats_are_refused(everything: ChipProfile) -> None:
    with pytest.raises(InputError, match="repeats: got 0"):
        measure(WORKLOADS[0], everything, chips=1, repeats=0)

"""``hearspike calibrate``: search the bias codes of emulated chips, and say how well it went."""

import time
from pathlib import Path

import pandas as pd

from hearspike.emulator import CalibratedChips, ChipProfile, Targets, calibrate_chips
from hearspike.emulator.calibrated_chips import circuit_yield, spreads
from hearspike.errors import InputError
from hearspike.files import refuse_existing
from hearspike.leaderboard.config import build, compose, plain
from hearspike.leaderboard.table import render
from hearspike.progress import Progress, no_progress


def calibrate_from_command(
    output: Path,
    *,
    profile: str,
    tau_mem: float,
    tau_syn: float,
    refractory: float,
    chips: int,
    chip_seed: int,
    noise_seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[CalibratedChips, float]:
    """Calibrate chips of a profile of ``conf/chip`` and write the result.

    Parameters
    ----------
    output
        The file to write; must not exist.
    profile
        Name of the profile.
    tau_mem, tau_syn, refractory
        Targets [s of chip time].
    chips, chip_seed
        How many chips of which population.
    noise_seed
        Seed of the noise of the observations.
    progress
        Called as chips are done.

    Returns
    -------
    calibrated, seconds
        The chips, and the wall time that the search took [s].

    Raises
    ------
    InputError
        If the file exists, a number is out of its range, or a target is out of reach.
    """
    refuse_existing(output)
    if output.suffix != ".npz":
        raise InputError("--output", str(output), "a name that ends in .npz")
    for name, value, least in (
        ("chips", chips, 1),
        ("chip-seed", chip_seed, 0),
        ("noise-seed", noise_seed, 0),
    ):
        if value < least:
            raise InputError(f"--{name}", value, f"a whole number of at least {least}")
    targets = Targets(tau_mem=tau_mem, tau_syn=tau_syn, refractory=refractory)
    configuration = plain(compose("evaluate", ["backend=bss2", f"chip@backend.profile={profile}"]))
    chip_profile = build(configuration["backend"]["profile"], "chip")
    assert isinstance(chip_profile, ChipProfile)
    start = time.monotonic()
    calibrated = calibrate_chips(
        chip_profile,
        targets,
        chips=chips,
        seed=chip_seed,
        noise_seed=noise_seed,
        progress=lambda done: progress("calibrate", done, chips, "chips"),
    )
    seconds = time.monotonic() - start
    calibrated.save(output)
    return calibrated, seconds


def describe(calibrated: CalibratedChips) -> str:
    """Return the spreads before and after, and the yield, as text."""
    table = pd.DataFrame([vars(row) for row in spreads(calibrated)])
    shown = table.map(lambda cell: f"{cell:.3g}" if isinstance(cell, float) and cell == cell else cell)
    circuits, chips = circuit_yield(calibrated)
    lines = render(shown.fillna(""), "text")
    return f"{lines}usable: {circuits:.2%} of the circuits; whole chips: {chips:.0%}\n"

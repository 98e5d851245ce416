"""Populations of calibrated chips: calibrate, save, load, and say how well it went."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.bias_cells import BiasCodes, draw_circuits, nominal_codes, pattern_at
from hearspike.emulator.calibration import Findings, calibrate
from hearspike.emulator.fixed_pattern import FixedPattern, draw_chips
from hearspike.emulator.laboratory import Laboratory
from hearspike.emulator.links import Links
from hearspike.emulator.profile import ChipProfile, Noise, Variation
from hearspike.emulator.targets import Targets
from hearspike.errors import InputError
from hearspike.files import new_file

FORMAT = "hearspike-calibration/1"
CHIPS_AT_ONCE = 10  # bounds the memory of the traces
TRIMMED = 0.05  # share of the circuits left out at either end of a spread, as in the limits below

LIMITS = {"tau_mem": 0.45, "tau_syn": 0.20, "threshold": 0.35, "leak": 0.30, "reset": 0.20}
"""Spread after over spread before calibration that the calibration software of the real chip accepts."""


@dataclass(frozen=True, kw_only=True)
class CalibratedChips:
    """Chips of one population with the codes that calibration found.

    Parameters
    ----------
    profile
        Spreads and noise of the chips before calibration.
    seed, chips
        Seed of the population and number of chips, which are its first.
    noise_seed
        Seed of the noise of all observations.
    targets
        What was aimed at.
    findings
        Codes, readings and masks.
    """

    profile: ChipProfile
    seed: int
    chips: int
    noise_seed: int
    targets: Targets
    findings: Findings

    def pattern(self, chips: int | None = None) -> FixedPattern:
        """Return how the calibrated chips, or the first of them, deviate from the targets.

        Raises
        ------
        InputError
            If there are not as many chips.
        """
        count = self.chips if chips is None else chips
        if not 1 <= count <= self.chips:
            raise InputError("chips", count, f"1 to {self.chips}, as many as were calibrated")
        circuits = draw_circuits(draw_chips(self.profile, chips=count, seed=self.seed))
        codes = BiasCodes(**{f.name: getattr(self.findings.codes, f.name)[:count] for f in fields(BiasCodes)})
        return pattern_at(circuits, codes, self.targets, usable=self.findings.usable[:count])

    def before(self) -> FixedPattern:
        """Return the same chips with the nominal code in every circuit."""
        circuits = draw_circuits(draw_chips(self.profile, chips=self.chips, seed=self.seed))
        every = np.ones_like(self.findings.usable)
        return pattern_at(circuits, nominal_codes(self.chips, self.targets), self.targets, usable=every)

    def save(self, path: Path) -> None:
        """Write a file of arrays (npz) with a checksum; reading it runs no code."""
        arrays = _arrays(self.findings)
        header = {
            "format": FORMAT,
            "profile": asdict(self.profile),
            "targets": asdict(self.targets),
            "seed": self.seed,
            "chips": self.chips,
            "noise_seed": self.noise_seed,
        }
        text = json.dumps(header, sort_keys=True)
        with new_file(path) as temporary, temporary.open("wb") as file:
            arrays |= {"header": np.array(text), "sha256": np.array(_checksum(text, arrays))}
            np.savez_compressed(file, allow_pickle=False, **arrays)


def calibrate_chips(
    profile: ChipProfile,
    targets: Targets,
    *,
    chips: int,
    seed: int,
    noise_seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> CalibratedChips:
    """Draw chips and calibrate them.

    Parameters
    ----------
    profile
        Spreads and noise of the chips before calibration.
    targets
        What every circuit is to be alike in.
    chips, seed
        How many chips of which population.
    noise_seed
        Seed of the noise of the observations.
    progress
        Called with the number of chips done.

    Raises
    ------
    InputError
        If a target is out of reach: says which circuit of which chip reached what.
    """
    parts = []
    for first in range(0, chips, CHIPS_AT_ONCE):
        pattern = draw_chips(profile, chips=min(CHIPS_AT_ONCE, chips - first), seed=seed, first_chip=first)
        lab = Laboratory(draw_circuits(pattern), noise_seed=noise_seed)
        parts.append(_arrays(calibrate(lab, targets)))
        progress(first + len(pattern))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return CalibratedChips(
        profile=profile,
        seed=seed,
        chips=chips,
        noise_seed=noise_seed,
        targets=targets,
        findings=_findings(joined),
    )


def load_calibration(path: Path) -> CalibratedChips:
    """Read what `CalibratedChips.save` wrote.

    Raises
    ------
    InputError
        If it is no such file, or its contents are not what was written.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        text, checksum = str(arrays.pop("header")), str(arrays.pop("sha256"))
        header = json.loads(text)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(path, f"a file that cannot be read ({error})", f"a calibration, {FORMAT}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise InputError(path, "another format", f"a calibration, {FORMAT}")
    if checksum != _checksum(text, arrays):
        raise InputError(path, "contents that do not match their checksum", "the file as it was written")
    profile = header["profile"]
    links = profile["links"]
    return CalibratedChips(
        profile=ChipProfile(
            name=profile["name"],
            variation=Variation(**profile["variation"]),
            noise=Noise(**profile["noise"]),
            links=None if links is None else Links(**links),
        ),
        seed=header["seed"],
        chips=header["chips"],
        noise_seed=header["noise_seed"],
        targets=Targets(**header["targets"]),
        findings=_findings(arrays),
    )


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Spread of a quantity over all circuits of all chips, trimmed by 5 % at either end.

    ``before`` and ``after`` are standard deviations, in the units of `Variation`; ``limit`` bounds their
    ratio. ``passed`` is the share of the circuits that calibration accepted, None where it does not judge.
    """

    quantity: str
    before: float
    after: float
    ratio: float
    limit: float | None
    passed: float | None


def spreads(calibrated: CalibratedChips) -> list[Spread]:
    """Return the spreads before and after calibration of what was drawn, which the search never saw."""
    before, after = calibrated.before(), calibrated.pattern()
    passed = calibrated.findings.passed
    judged = {
        "tau_mem": ("tau_mem",),
        "tau_syn": ("tau_syn_exc", "tau_syn_inh"),
        "gain": ("gain_exc", "gain_inh"),
        "threshold": ("threshold",),
        "leak": ("leak",),
        "reset": ("reset",),
        "refractory": (),
        "cadc_offset_lsb": ("converter",),
        "cadc_ramp_gain": (),
        "cadc_ramp_offset_lsb": (),
    }
    rows = []
    for quantity, names in judged.items():
        first, last = (trimmed_deviation(getattr(pattern, quantity)) for pattern in (before, after))
        rows.append(
            Spread(
                quantity=quantity,
                before=first,
                after=last,
                ratio=last / first if first > 0 else float("nan"),
                limit=LIMITS.get(quantity),
                passed=float(np.mean([passed[name].mean() for name in names])) if names else None,
            )
        )
    return rows


def trimmed_deviation(values: NDArray[np.float64]) -> float:
    """Return the standard deviation of what is left without the 5 % at either end."""
    ordered = np.sort(values, axis=None)
    cut = int(TRIMMED * len(ordered))
    return float(ordered[cut : len(ordered) - cut].std())


def circuit_yield(calibrated: CalibratedChips) -> tuple[float, float]:
    """Return the share of usable circuits, and of chips on which every circuit pair has a usable circuit."""
    usable = calibrated.findings.usable
    pairs = usable.reshape(len(usable), 2, -1).any(axis=1)
    whole: NDArray[np.bool_] = np.all(pairs, axis=1)
    return float(usable.mean()), float(whole.mean())


def _arrays(findings: Findings) -> dict[str, NDArray[Any]]:
    codes = {f"code/{f.name}": getattr(findings.codes, f.name).astype(np.int16) for f in fields(BiasCodes)}
    reached = {f"reached/{name}": array.astype(np.float32) for name, array in findings.reached.items()}
    return {**codes, **reached, **{f"passed/{name}": array for name, array in findings.passed.items()}}


def _findings(arrays: dict[str, NDArray[Any]]) -> Findings:
    def group(kind: str) -> dict[str, NDArray[Any]]:
        return {
            name.removeprefix(f"{kind}/"): array
            for name, array in arrays.items()
            if name.startswith(f"{kind}/")
        }

    return Findings(
        codes=BiasCodes(**{name: array.astype(np.int64) for name, array in group("code").items()}),
        reached={name: array.astype(np.float64) for name, array in group("reached").items()},
        passed={name: array.astype(np.bool_) for name, array in group("passed").items()},
    )


def _checksum(header: str, arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(header.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()

"""Variation, noise, and the profiles that come as YAML."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_module
from hydra.utils import instantiate

import hearspike.conf
from hearspike.emulator import ChipProfile, ConstantPower, Noise, Variation
from hearspike.errors import InputError


@pytest.fixture(scope="module")
def profiles() -> dict[str, ChipProfile]:
    with initialize_config_module("hearspike.conf", version_base="1.3"):
        return {
            name: instantiate(compose(overrides=[f"+chip={name}"]).chip)
            for name in ("ideal", "calibrated", "uncalibrated")
        }


def test_each_profile_is_named_after_its_file(profiles: dict[str, ChipProfile]) -> None:
    assert all(profile.name == name for name, profile in profiles.items())


def test_ideal_is_zero_everywhere(profiles: dict[str, ChipProfile]) -> None:
    assert (profiles["ideal"].variation, profiles["ideal"].noise) == (Variation(), Noise())


def test_calibration_lowers_spreads_as_calix_accepts(profiles: dict[str, ChipProfile]) -> None:
    """Limits of the ratio of spreads after and before, from calix's own tests on the chip.

    Half a percent point of rounding in the YAML is allowed for.
    """
    before, after = profiles["uncalibrated"].variation, profiles["calibrated"].variation
    limits = {"tau_mem": 0.45, "tau_syn": 0.20, "threshold": 0.35, "leak": 0.30, "reset": 0.20}
    for name, limit in limits.items():
        assert getattr(after, name) <= limit * getattr(before, name) + 0.005
    assert all(0 < getattr(after, f.name) <= getattr(before, f.name) for f in fields(Variation))
    assert profiles["uncalibrated"].noise == profiles["calibrated"].noise


def test_every_number_of_a_profile_has_its_source_beside_it() -> None:
    folder = Path(hearspike.conf.__file__).parent
    files = [*(folder / "chip").glob("*.yaml"), *(folder / "energy").glob("constant_power.yaml")]
    numbers = [
        line
        for file in files
        for line in file.read_text().splitlines()
        if line.split("#")[0].rstrip().endswith(tuple("0123456789"))
    ]
    assert len(numbers) > 20
    for line in numbers:
        source = line.split("#", 1)[1]
        assert any(
            word in source for word in ("calix", "DelGrad", "codes", "assumed", "Cramer", "Czischek")
        ), line


def test_energy_is_power_times_time() -> None:
    """Published: 200 mW × 11.8 us = 2.4 uJ (2.36) per image."""
    with initialize_config_module("hearspike.conf", version_base="1.3"):
        model = instantiate(compose(overrides=["+energy=constant_power"]).energy)
    assert isinstance(model, ConstantPower)
    assert model.energy(11.8e-6) == pytest.approx(2.36e-6)
    assert "0.2 W" in model.name


@pytest.mark.parametrize("power", [0.0, -1.0, np.inf, np.nan])
def test_a_power_that_is_none_is_refused(power: float) -> None:
    with pytest.raises(InputError, match=r"energy\.power_W"):
        ConstantPower(power_W=power, source="a test")


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_a_spread_that_is_none_is_refused_by_name(value: float) -> None:
    with pytest.raises(InputError, match=r"variation\.tau_syn"):
        Variation(tau_syn=value)
    with pytest.raises(InputError, match=r"noise\.membrane"):
        Noise(membrane=value)

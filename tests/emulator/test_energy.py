"""Energy models: constant power as published, and activity with the origin of every constant."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

import hearspike.conf
from hearspike.emulator import Activity, ActivityEnergy, Constant, ConstantPower
from hearspike.errors import InputError
from hearspike.leaderboard.config import build

MNIST = Activity(time=11.8e-6, input_events=80, synaptic_events=80 * 246 + 490, spikes=49, conversions=7 * 10)
"""An image of Cramer et al. 2022: 11.8 us, with the activity of `hearspike bench emulator`."""


@pytest.fixture(scope="module")
def activity_energy() -> ActivityEnergy:
    with initialize_config_module("hearspike.conf", version_base="1.3"):
        node = OmegaConf.to_container(compose(overrides=["+energy=activity"]).energy)
    assert isinstance(node, dict)
    model = build({str(key): value for key, value in node.items()}, "energy")
    assert isinstance(model, ActivityEnergy)
    return model


def test_both_models_give_the_published_energy_per_image(activity_energy: ActivityEnergy) -> None:
    """2.4 uJ (Cramer et al. 2022), to which the activity model is anchored within 2 %."""
    constant = ConstantPower(power_W=0.2, source="Cramer et al. 2022")
    assert constant.energy_of(MNIST) == pytest.approx(2.36e-6)
    assert activity_energy.energy_of(MNIST) == pytest.approx(2.36e-6, rel=0.02)


def test_energy_is_linear_in_what_the_chip_did(activity_energy: ActivityEnergy) -> None:
    assert activity_energy.energy_of(MNIST.scaled(3)) == pytest.approx(3 * activity_energy.energy_of(MNIST))
    assert activity_energy.energy_of(MNIST + MNIST.scaled(2)) == pytest.approx(
        3 * activity_energy.energy_of(MNIST)
    )


def test_every_kind_of_event_counts(activity_energy: ActivityEnergy) -> None:
    nothing = Activity(time=0, input_events=0, synaptic_events=0, spikes=0, conversions=0)
    assert activity_energy.energy_of(nothing) == 0
    pairs = {
        "time": "static_power_W",
        "input_events": "input_event_pJ",
        "synaptic_events": "synaptic_event_pJ",
        "spikes": "spike_pJ",
        "conversions": "conversion_pJ",
    }
    for count, constant in pairs.items():
        one = Activity(**{**dict.fromkeys(pairs, 0.0), count: 1.0})
        unit = 1.0 if count == "time" else 1e-12
        expected = unit * getattr(activity_energy, constant).value
        assert activity_energy.energy_of(one) == pytest.approx(expected)
        assert expected > 0


def test_the_name_says_how_far_to_trust_it(activity_energy: ActivityEnergy) -> None:
    assert activity_energy.name == "activity (assumed constants)"


def test_every_constant_has_a_source_and_a_mark_of_trust() -> None:
    file = Path(hearspike.conf.__file__).parent / "energy" / "activity.yaml"
    constants = {k: v for k, v in OmegaConf.load(file).items() if k != "_target_"}
    assert len(constants) == 5
    for constant in constants.values():
        assert constant["source"]
        assert constant["trust"] in ("published", "derived", "assumed")


def test_a_negative_constant_is_refused() -> None:
    good, bad = (Constant(value=v, source="a test", trust="assumed") for v in (1.0, -1.0))
    with pytest.raises(InputError, match=r"energy\.spike_pJ\.value: got -1\.0"):
        ActivityEnergy(
            static_power_W=good, input_event_pJ=good, synaptic_event_pJ=good, spike_pJ=bad, conversion_pJ=good
        )

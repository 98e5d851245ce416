"""Every experiment is a short difference from the defaults that composes and builds."""

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

import hearspike.conf
from hearspike.baselines import SpikingModel
from hearspike.baselines.backends import EmulatedChips
from hearspike.errors import InputError
from hearspike.leaderboard.config import build, compose, plain
from hearspike.leaderboard.evaluation import evaluate

EXPERIMENTS = sorted(
    path.stem for path in (Path(hearspike.conf.__file__).parent / "experiment").glob("*.yaml")
)


def first_choices(name: str) -> list[str]:
    """What the first job of the experiment's sweep overrides."""
    file = OmegaConf.load(Path(hearspike.conf.__file__).parent / "experiment" / f"{name}.yaml")
    swept = OmegaConf.select(file, "hydra.sweeper.params", default={})
    overrides = OverridesParser.create().parse_overrides([f"{key}={value}" for key, value in swept.items()])
    return [
        f"{item.get_key_element()}={next(item.sweep_string_iterator())}"
        if item.is_sweep_override()
        else str(item.input_line)
        for item in overrides
    ]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_it_builds(name: str) -> None:
    """Its model and backend, with the first choice of what it sweeps."""
    config = plain(compose("evaluate", [f"experiment={name}", *first_choices(name)]))
    model = build(config["model"], "model")
    assert not isinstance(model, SpikingModel) or model.shape(700, 10).outputs == 10
    build(config["backend"], "backend")
    header = (Path(hearspike.conf.__file__).parent / "experiment" / f"{name}.yaml").read_text()
    assert f"# hearspike evaluate -m experiment={name}" in header


@pytest.mark.parametrize(
    "deployment", ["weight_transfer", "noise_aware", "in_the_loop", "in_the_loop_same_chip"]
)
def test_every_deployment_builds(deployment: str) -> None:
    """One word changes how a network meets the chip."""
    words = [
        "dataset=mnist",
        "model=chip_images",
        "backend=bss2_one_chip",
        f"deployment={deployment}",
        "seed=3",
    ]
    config = plain(compose("evaluate", words))
    loop = build(config["model"], "model").deployment
    chips = build(config["backend"], "backend")
    assert isinstance(chips, EmulatedChips)
    if deployment == "in_the_loop_same_chip":
        assert (loop.chips, loop.chip_seed, loop.profile) == (chips.chips, chips.chip_seed, chips.profile)
    elif deployment != "weight_transfer":
        assert loop.chip_seed != chips.chip_seed


def test_a_model_that_no_chip_trains_refuses_the_loop(tmp_path: Path) -> None:
    """Instead of training in software without a word."""
    config = plain(compose("evaluate", ["deployment=in_the_loop", "model=majority", "dataset=yin_yang"]))
    with pytest.raises(InputError, match=r"deployment: got in_the_loop, expected .* model=majority"):
        evaluate(config, tmp_path / "run")


@pytest.mark.parametrize(("deployment", "seen"), [("in_the_loop_same_chip", 1), ("in_the_loop", 0)])
def test_the_record_says_which_chips_training_saw(deployment: str, seen: int, tmp_path: Path) -> None:
    """And how the network met the chip, so that two rows of a table can be told apart."""
    words = ["dataset=yin_yang", "model=chip_images", "backend=bss2_one_chip", f"deployment={deployment}"]
    small = ["model.hidden=20", "training.epochs=1", "training.batch_size=200", "timing_repeats=1"]
    words.append(f"paths.workspace={tmp_path}")
    record = evaluate(plain(compose("evaluate", [*words, *small])), tmp_path / "run")
    assert record.model == f"chip_images, {deployment}"
    assert record.chips is not None
    assert record.chips["seen_in_training"] == seen

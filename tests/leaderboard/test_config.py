"""A wrong word in the configuration ends in one line that says what would be right."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import hearspike.conf
from hearspike.errors import InputError
from hearspike.leaderboard.config import build, compose, plain

HERE = __name__
MODELS = Path(hearspike.conf.__file__).parent / "model"


@dataclass(frozen=True)
class Inner:
    rate: float

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise InputError("inner.rate", self.rate, "a positive number")


@dataclass(frozen=True)
class Outer:
    size: int
    words: tuple[str, ...]
    inner: Inner


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    import sys
    import types

    module = types.ModuleType("configured")
    module.Outer, module.Inner = Outer, Inner  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "configured", module)
    inner = {"_target_": "configured.Inner", "rate": 2}
    return {"_target_": "configured.Outer", "name": "x", "size": 3, "words": ["a"], "inner": inner}


def test_nodes_become_objects_with_the_types_of_their_class(node: dict[str, object]) -> None:
    """Lists become tuples where the class says so, and inner nodes are built first."""
    assert build(node, "outer") == Outer(3, ("a",), Inner(2.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": "three"}, r"outer\.size: got three, expected .*integer"),
        ({"size": 1.5}, r"outer\.size: got 1\.5, expected .*integer"),
        ({"other": 1}, r"outer\.other: got an unknown key, expected one of size, words, inner"),
        (
            {"inner": {"_target_": "configured.Inner", "rate": -1}},
            r"inner\.rate: got -1\.0, expected a positive",
        ),
        (
            {"inner": {"_target_": "configured.Inner"}},
            r"outer\.inner\.rate: got .*, expected .*required|missing",
        ),
    ],
)
def test_wrong_value_names_its_key(node: dict[str, object], change: dict[str, object], message: str) -> None:
    """Type, range, unknown and missing keys: each error names the key and what was expected."""
    with pytest.raises(InputError, match=message):
        build({**node, **change}, "outer")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model=foo", r"model: got foo, expected one of .*linear_svm"),
        ("modle=rsnn", r"modle: got modle=rsnn, expected a key of the configuration such as model"),
        ("model.penaltees=[1]", r"model\.penaltees: got model\.penaltees=\[1\], expected a key"),
        ("seed=", None),
        ("model=[", r"configuration: got model=\[, expected"),
    ],
)
def test_wrong_override_is_explained(override: str, message: str | None) -> None:
    """Unknown choices are listed, unknown keys are matched to near ones."""
    if message is None:
        assert plain(compose("evaluate", [override]))["seed"] == ""
        return
    with pytest.raises(InputError, match=message):
        compose("evaluate", [override])


@pytest.mark.parametrize("model", sorted(path.stem for path in MODELS.glob("*.yaml")))
def test_every_model_in_the_configuration_can_be_built(model: str) -> None:
    """Each YAML file gives its class all that it asks for, and nothing else."""
    dataset = "mnist" if "images" in model else "fsdd"
    file = ["model.file=network.nir"] if model == "nir" else []
    config = plain(compose("evaluate", [f"dataset={dataset}", f"model={model}", *file]))
    assert build(config["model"], "model") is not None


@pytest.mark.parametrize("backend", ["software", "bss2"])
def test_every_backend_in_the_configuration_can_be_built(backend: str) -> None:
    """Each YAML file gives its class all that it asks for, and nothing else."""
    assert build(plain(compose("evaluate", [f"backend={backend}"]))["backend"], "backend") is not None


@pytest.mark.parametrize("model", ["cnn", "lstm", "rsnn_128"])
def test_neighbouring_channels_of_ears_are_pooled_and_pixels_are_not(model: str) -> None:
    """700 channels of an ear become at most 70 inputs, 256 pixels stay 256."""
    frames = {}
    for data in ("shd", "mnist"):
        config = plain(compose("evaluate", [f"dataset={data}", f"model={model}"]))
        frames[data] = build(config["model"], "model").frames
    assert frames["shd"].inputs(700) <= 70
    assert frames["mnist"].inputs(256) == 256


def test_rotation_of_what_is_no_image_is_refused() -> None:
    """Speech has no code of pixels; the error says which data have one."""
    config = plain(compose("evaluate", ["dataset=fsdd", "model=chip_images_augmented"]))
    with pytest.raises(InputError, match=r"model\.rotation\.tau.*data set of images"):
        build(config["model"], "model")

"""From configuration to objects: the only place where hydra's words become Python's."""

import dataclasses
import difflib
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import GenericAlias
from typing import Any

from omegaconf import DictConfig, OmegaConf

import hearspike.conf
from hearspike.errors import InputError

CONFIG_PATH = "pkg://hearspike.conf"
HYDRA_VERSION_BASE = "1.3"
HERE = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
"""The launcher that runs jobs in this process."""


def most_inputs(most: int, side: int | None) -> int:
    """Return how many inputs a model that pools neighbouring channels has at most.

    The pixels of an image lie on no single axis along which neighbours are alike, so all of them are inputs.

    Parameters
    ----------
    most
        The bound for channels along one axis, such as those of an ear.
    side
        Pixels on each side of a square image, None for data that are none.
    """
    return most if side is None else max(most, side**2)


OmegaConf.register_new_resolver("most_inputs", most_inputs, replace=True)


def default_paths() -> dict[str, Path]:
    """Return the folders that hearspike writes to unless told otherwise."""
    paths = OmegaConf.to_container(
        OmegaConf.load(Path(hearspike.conf.__file__).parent / "paths" / "default.yaml"), resolve=True
    )
    assert isinstance(paths, dict)
    return {str(name): Path(str(path)) for name, path in paths.items()}


def run_hydra(task: Callable[[DictConfig], Any], config_name: str, arguments: Sequence[str]) -> None:
    """Run ``task`` as a hydra program with the given command-line arguments.

    A job that ends in an `InputError` does not keep the other jobs of a sweep from running. What a job
    returns goes to the sweeper.

    Raises
    ------
    InputError
        If hydra cannot make a configuration of the arguments, or the first that a job ended in.
    """
    import hydra
    from hydra.core.hydra_config import HydraConfig

    failures: list[InputError] = []

    def job(config: DictConfig) -> Any:  # noqa: ANN401  # a number for sweepers that look for the best
        try:
            return task(config)
        except InputError as error:
            if HydraConfig.get().launcher._target_ != HERE:
                raise  # a job elsewhere cannot reach this list; its launcher brings the error back
            failures.append(error)  # hydra would add lines of its own to an error that it sees
            return None

    program = hydra.main(config_path=CONFIG_PATH, config_name=config_name, version_base=HYDRA_VERSION_BASE)(
        job
    )
    with _arguments(f"hearspike {config_name}", arguments), _one_line_errors(arguments):
        program()
    if failures:
        raise failures[0]


def compose(config_name: str, overrides: Sequence[str]) -> DictConfig:
    """Compose a configuration from Python.

    Raises
    ------
    InputError
        If hydra cannot make a configuration of the overrides.
    """
    import hydra

    with (
        _one_line_errors(overrides),
        hydra.initialize_config_module("hearspike.conf", version_base=HYDRA_VERSION_BASE),
    ):
        return hydra.compose(config_name, overrides=list(overrides))


def plain(config: DictConfig) -> dict[str, Any]:
    """Resolve every reference and return plain Python values.

    Raises
    ------
    InputError
        If a value that has no default was not given.
    """
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise InputError(missing[0], "nothing", f"a value, since it has no default: {missing[0]}=…")
    container = OmegaConf.to_container(config, resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def build(node: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401  # any class that a YAML file may name
    """Make the object that a node's ``_target_`` names, with types checked.

    The node's other entries are the arguments, nodes with a ``_target_`` among them are built first.
    The entry ``name``, which every node has for tables, is passed on only if the target asks for it.

    Parameters
    ----------
    node
        Plain values, as `plain` returns them.
    key
        Place of the node in the configuration, for errors.

    Raises
    ------
    InputError
        If an argument is unknown, missing, or of the wrong type or range; names its key.
    """
    import pydantic

    target = _find(str(node["_target_"]), key)
    arguments = {
        name: _build_inner(value, f"{key}.{name}") for name, value in node.items() if name != "_target_"
    }
    known = _argument_names(target)
    if "name" not in known:
        arguments.pop("name", None)
    for name in arguments:
        if name not in known:
            raise InputError(f"{key}.{name}", "an unknown key", f"one of {', '.join(known)}")
    any_class = pydantic.ConfigDict(arbitrary_types_allowed=True)  # fields may be protocols
    is_dataclass = dataclasses.is_dataclass(target) and isinstance(target, type)
    try:
        if is_dataclass:
            # pydantic takes no settings for a dataclass, but for a tuple of one.
            one: Any = GenericAlias(tuple, (target,))
            return pydantic.TypeAdapter(one, config=any_class).validate_python((arguments,))[0]
        return pydantic.validate_call(config=any_class)(target)(**arguments)
    except pydantic.ValidationError as error:
        detail = error.errors()[0]
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, InputError):
            raise cause from error
        place = ".".join([key, *(str(part) for part in detail["loc"][is_dataclass:])])
        raise InputError(place, detail["input"], detail["msg"].lower()) from error


def _find(path: str, key: str) -> Any:  # noqa: ANN401  # any class or function
    module, _, attribute = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ValueError, ModuleNotFoundError, AttributeError) as error:
        expected = "module.Class, of a module that Python can import"
        raise InputError(f"{key}._target_", f"{path} ({error})", expected) from error


def _build_inner(value: Any, key: str) -> Any:  # noqa: ANN401  # any value of a configuration
    """Build every node with a ``_target_`` inside a value."""
    if isinstance(value, Mapping):
        if "_target_" in value:
            return build(value, key)
        return {name: _build_inner(item, f"{key}.{name}") for name, item in value.items()}
    if isinstance(value, list):
        return [_build_inner(item, f"{key}[{index}]") for index, item in enumerate(value)]
    return value


def _argument_names(target: Callable[..., Any]) -> list[str]:
    import inspect

    return [name for name in inspect.signature(target).parameters if name != "self"]


@contextmanager
def _arguments(program: str, arguments: Sequence[str]) -> Iterator[None]:
    """Let hydra, which reads ``sys.argv``, see these arguments."""
    before = sys.argv
    sys.argv = [program, *arguments]
    try:
        yield
    finally:
        sys.argv = before


@contextmanager
def _one_line_errors(arguments: Sequence[str]) -> Iterator[None]:
    """Turn hydra's errors on the configuration into one `InputError`."""
    from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
    from omegaconf.errors import OmegaConfBaseException

    # Otherwise hydra prints the error itself, over several lines, and exits.
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    except MissingConfigException as error:
        group, _, choice = str(error.missing_cfg_file).rpartition("/")
        expected = f"one of {', '.join(error.options)}" if error.options else "a configuration that exists"
        raise InputError(group or "configuration", choice, expected) from error
    except (ConfigCompositionException, HydraException, OmegaConfBaseException) as error:
        raise _explain(error, arguments) from error
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before


def _explain(error: Exception, arguments: Sequence[str]) -> InputError:
    text = " ".join(str(error).split())
    unknown = re.search(r"Could not (?:override|append to config.*?) '([^']+)'", text)
    if not unknown:
        return InputError(
            "configuration", " ".join(arguments) or "no overrides", f"a valid configuration ({text})"
        )
    key = unknown[1]
    value = next((argument for argument in arguments if argument.lstrip("+~").startswith(key)), key)
    groups = sorted(path.name for path in Path(hearspike.conf.__file__).parent.iterdir() if path.is_dir())
    near = difflib.get_close_matches(
        key.split(".")[0].split("@")[0], [*groups, "seed", "out", "workers"], n=1
    )
    hint = f" such as {near[0]}" if near and "." not in key else ""
    return InputError(key, value, f"a key of the configuration{hint} (--cfg job shows all of them)")

"""Checkpoints: what a stopped training run needs to go on as if it had never been stopped.

A folder of checkpoints holds one folder for the latest epoch, ``epoch-00007``, with the tensors in
``tensors.safetensors`` and everything else in ``state.json``. It is written under another name and renamed,
so one that is there is whole; the one before it is removed afterwards. Two processes that train the same may
share the folder: they write the same.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hearspike.errors import InputError
from hearspike.files import new_folder

FORMAT = "hearspike-checkpoint/1"


@dataclass(frozen=True)
class Checkpoint:
    """A training run after some epochs.

    Parameters
    ----------
    epoch
        Number of epochs done.
    tensors
        Weights, best weights and the optimiser's state, by name.
    state
        The rest, as JSON can hold it.
    """

    epoch: int
    tensors: Mapping[str, torch.Tensor]
    state: Mapping[str, Any]


def write_checkpoint(folder: Path, checkpoint: Checkpoint, *, identity: str) -> None:
    """Write a checkpoint and remove those of earlier epochs.

    Parameters
    ----------
    folder
        The folder of checkpoints, made if needed.
    checkpoint
        What to write.
    identity
        Checksum of all that the run depends on.
    """
    from safetensors.torch import save_file

    path = folder / f"epoch-{checkpoint.epoch:05d}"
    if not path.exists():
        with new_folder(path) as temporary:
            tensors = {
                name: tensor.detach().clone().contiguous() for name, tensor in checkpoint.tensors.items()
            }
            save_file(tensors, str(temporary / "tensors.safetensors"))
            content = {"format": FORMAT, "identity": identity, "state": checkpoint.state}
            (temporary / "state.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    for epoch, earlier in _epochs(folder):
        if epoch < checkpoint.epoch:
            shutil.rmtree(earlier, ignore_errors=True)


def read_checkpoint(folder: Path, *, identity: str) -> Checkpoint | None:
    """Return the latest checkpoint of a folder, None if there is none.

    Raises
    ------
    InputError
        If it belongs to a run with other settings or data, or is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    for epoch, path in reversed(_epochs(folder)):
        try:
            content = json.loads((path / "state.json").read_text(encoding="utf-8"))
            tensors = load_file(str(path / "tensors.safetensors"))
        except FileNotFoundError:
            continue  # another process has just replaced it by a later one
        except (OSError, ValueError, SafetensorError) as error:
            raise InputError(path, f"a damaged checkpoint ({error})", "a whole one, or no folder") from error
        if content.get("format") != FORMAT or content.get("identity") != identity:
            raise InputError(path, "a checkpoint of other settings or data", "one of this run, or no folder")
        return Checkpoint(epoch, tensors, content["state"])
    return None


def _epochs(folder: Path) -> list[tuple[int, Path]]:
    return sorted((int(path.name.removeprefix("epoch-")), path) for path in folder.glob("epoch-*"))

"""What all tests share: the data, the command line as a user runs it, and a small task of real speech."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("hearspike", deadline=None)  # a first example may compile a kernel
settings.load_profile("hearspike")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder with real speech and images; without it the test skips, except in CI, where it must run."""
    folder = os.environ.get("HEARSPIKE_DATA")
    if folder and Path(folder).is_dir():
        return Path(folder)
    if os.environ.get("CI"):
        pytest.fail(
            f"HEARSPIKE_DATA: got {folder}, expected the folder with the test recordings, since this is CI"
        )
    pytest.skip("HEARSPIKE_DATA does not name the folder with the test recordings")


@pytest.fixture(scope="session")
def hearspike(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run ``python -m hearspike`` with the given words, in a fresh process and a workspace of the session."""
    workspace = tmp_path_factory.mktemp("workspace")

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hearspike", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "HEARSPIKE_WORKSPACE": str(workspace), **environment},
        )

    return run


@pytest.fixture(scope="session")
def task_folder(data_folder: Path, hearspike: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two takes of every digit and speaker of FSDD: 60 samples to train on, 20 to validate, 40 to test."""
    out = tmp_path_factory.mktemp("task") / "fsdd"
    result = hearspike(
        "generate", "corpus=fsdd", f"corpus.root={data_folder}/fsdd", "corpus.takes=2", f"out={out}"
    )
    assert result.returncode == 0, result.stderr
    return out

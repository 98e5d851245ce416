"""What all tests share."""

import os
from pathlib import Path

import pytest


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

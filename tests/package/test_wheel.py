"""The wheel holds every source file."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="needs the checkout")
def test_wheel_holds_every_module_and_every_configuration(tmp_path: Path) -> None:
    """All source files of the parts are in the wheel, under the one import name."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(tmp_path),
    ]
    subprocess.run([*command, str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    parts = ("converter", "emulator", "datasets", "baselines", "leaderboard", "conf")
    expected = {
        f"hearspike/{path.relative_to(ROOT).as_posix()}"
        for part in parts
        for path in (ROOT / part).rglob("*")
        if path.suffix in (".py", ".yaml", ".json", ".j2", ".css", ".js")
    }
    assert len(expected) > 30
    assert expected <= packed

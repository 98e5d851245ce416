"""The command that calibrates chips."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hearspike.emulator import load_calibration

Run = Callable[..., Any]


def test_calibration_says_how_well_it_went_and_writes_what_can_be_read(
    hearspike: Run, tmp_path: Path
) -> None:
    file = tmp_path / "chips.npz"
    result = hearspike("calibrate", "-o", file, "--chips", 1, "--tau-mem-us", 10, "--tau-syn-us", 5)
    assert result.returncode == 0
    assert "tau_mem" in result.stdout
    assert "usable: " in result.stdout
    assert load_calibration(file).targets.tau_mem == 10e-6


def test_targets_out_of_range_and_an_existing_file_end_in_one_line(hearspike: Run, tmp_path: Path) -> None:
    file = tmp_path / "chips.npz"
    result = hearspike("calibrate", "-o", file, "--tau-mem-us", 100)
    assert result.returncode == 1
    assert "calibration target tau_mem: got" in result.stderr
    assert not file.exists()
    file.write_text("mine")
    result = hearspike("calibrate", "-o", file)
    assert result.returncode == 1
    assert "exists already" in result.stderr

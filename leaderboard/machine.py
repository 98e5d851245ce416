"""On what a run was made: versions, processor, commit."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "hearspike",
    "numpy",
    "scipy",
    "numba",
    "torch",
    "snntorch",
    "scikit-learn",
    "nir",
    "h5py",
    "librosa",
)


def package_versions() -> dict[str, str | None]:
    """Return the version of Python and of each package that decides on results, None if not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def describe_machine() -> dict[str, Any]:
    """Return processor, number of cores this process may use, and operating system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"processor": _processor(), "cores": cores, "system": f"{platform.system()} {platform.machine()}"}


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def git_commit() -> dict[str, Any] | None:
    """Return commit and dirty flag of the checkout that hearspike runs from, None for an installed copy."""
    folder = Path(__file__).resolve().parent
    try:
        root = _git(folder, "rev-parse", "--show-toplevel")
        if Path(root) != folder.parent:
            return None
        return {
            "commit": _git(folder, "rev-parse", "HEAD"),
            "dirty": bool(_git(folder, "status", "--porcelain")),
        }
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603  # fixed words

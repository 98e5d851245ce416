"""The parts depend on each other in one direction, and start without heavy packages."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hearspike

PARTS = ("converter", "emulator", "datasets", "baselines", "leaderboard")
MAY_IMPORT = {
    "converter": set(),
    "emulator": set(),
    "datasets": {"converter", "emulator"},
    "baselines": {"converter", "emulator", "datasets"},
    "leaderboard": {"converter", "emulator", "datasets", "baselines", "conf"},
}
HEAVY = ("torch", "numba", "librosa", "sklearn", "snntorch", "matplotlib")
PACKAGE = Path(hearspike.__file__).parent


def imported_modules(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


@pytest.mark.parametrize("part", PARTS)
def test_imports_run_one_way(part: str) -> None:
    """No module imports a part that stands after its own, not even inside a function."""
    files = list((PACKAGE / part).rglob("*.py"))
    assert len(files) > 1
    for path in files:
        for module in imported_modules(path):
            words = [*module.split("."), ""]
            if words[0] == "hearspike" and words[1] in (*PARTS, "conf"):
                assert words[1] == part or words[1] in MAY_IMPORT[part], f"{path} imports {module}"
            assert words[0] not in PARTS, f"{path} imports {module} without hearspike before it"


@pytest.mark.parametrize("part", ["converter", "emulator"])
def test_first_parts_know_nothing_of_hydra(part: str) -> None:
    """Converter and emulator can be used without the configuration system."""
    for path in (PACKAGE / part).rglob("*.py"):
        assert not {module.split(".")[0] for module in imported_modules(path)} & {"hydra", "omegaconf"}, path


@pytest.mark.parametrize(
    "start",
    [
        "import hearspike",
        *(f"import hearspike.{part}" for part in PARTS),
        "import sys; sys.argv = ['hearspike', '--help']\n"
        "from hearspike.leaderboard.cli import commands\n"
        "commands(standalone_mode=False)",
        "from hearspike.leaderboard.config import run_hydra\n"
        "try: run_hydra(print, 'evaluate', ['--help'])\n"
        "except SystemExit: pass",
    ],
)
def test_start_is_light(start: str) -> None:
    """Importing any part, and asking for help, loads none of the heavy packages."""
    code = f"{start}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("part", [*PARTS, "conf"])
def test_links_to_the_root_folders_resolve(part: str) -> None:
    """A checkout without symbolic links would build an empty package without a word."""
    assert (PACKAGE / part / "__init__.py").is_file()

"""Every block of code in the documentation runs.

A comment before a block may change how: ``<!-- run with: WORDS -->`` adds words to its hydra commands, to
make them small; ``<!-- run in: FOLDER -->`` runs it beside a copy of that folder of docs;
``<!-- not run: REASON -->`` leaves it out, and then at least its commands are known and its configurations
compose.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hearspike.leaderboard.cli import commands
from hearspike.leaderboard.config import compose

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?:<!-- ?([^>]*?) ?-->\n+)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HYDRA = ("generate", "evaluate")

Run = Callable[..., Any]


@dataclass(frozen=True)
class Block:
    """A fenced block and the comment before it."""

    language: str
    text: str
    note: str
    line: int

    @property
    def run(self) -> bool:
        """Whether the block runs; the command that ran this test cannot."""
        return self.noted("not run") is None and self.note != "tests"

    def noted(self, key: str) -> str | None:
        """Return what the comment says under a key."""
        return self.note.removeprefix(f"{key}:").strip() if self.note.startswith(f"{key}:") else None

    @property
    def commands(self) -> list[list[str]]:
        """The words of each line that calls hearspike, without comments and variables before it."""
        lines = (shlex.split(line, comments=True) for line in self.text.replace("\\\n", " ").splitlines())
        found = (line[line.index("hearspike") + 1 :] for line in lines if "hearspike" in line)
        return [words for words in found if words]


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page that a reader would run."""
    text = page.read_text(encoding="utf-8")
    found = BLOCK.finditer(text)
    blocks = [Block(m[2], m[3], m[1] or "", text[: m.start(2)].count("\n") + 1) for m in found]
    return [block for block in blocks if block.language in ("python", "sh")]


@pytest.fixture(scope="module")
def workshop(data_folder: Path, task_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages speak of: recordings, a table of them, spike files."""
    folder = tmp_path_factory.mktemp("workshop")
    shutil.copy(data_folder / "fsdd" / "7_theo_0.flac", folder / "word.flac")
    (folder / "recordings").mkdir()
    lines = ["path,start,end,label,speaker"]
    for path in sorted((data_folder / "fsdd").glob("[01]_*_[01].flac")):
        shutil.copy(path, folder / "recordings")
        digit, speaker, _ = path.stem.split("_")
        lines.append(f"recordings/{path.name},,,{digit},{speaker}")
    (folder / "words.csv").write_text("\n".join(lines) + "\n")
    (folder / "fsdd").symlink_to(data_folder / "fsdd")
    (folder / "digits").symlink_to(task_folder)
    return folder


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    """Each page in turn, if it has code."""
    if not blocks_of(request.param):
        pytest.skip("no code on this page")
    found: Path = request.param
    return found


def test_commands_that_are_not_run_are_known(page: Path) -> None:
    """The command exists, its options exist, and its configuration composes."""
    for block in blocks_of(page):
        if block.run or block.language != "sh":
            continue
        for name, *words in block.commands:
            assert name in commands.commands, f"{page}:{block.line}: hearspike {name}"
            if name in HYDRA:
                compose(name, [word for word in words if word != "-m" and "," not in word])
            else:
                commands.commands[name].make_context(name, words)


def test_code_runs(page: Path, workshop: Path, tmp_path: Path) -> None:
    """All blocks of a page, in order, in one folder."""
    for item in workshop.iterdir():
        (tmp_path / item.name).symlink_to(item)
    environment = {
        **os.environ,
        "HEARSPIKE_WORKSPACE": str(tmp_path / "workspace"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    python: list[str] = []
    for block in blocks_of(page):
        if not block.run:
            continue
        if block.language == "python":
            python.append(block.text)
            continue
        if inside := block.noted("run in"):
            shutil.copytree(ROOT / "docs" / inside, tmp_path, dirs_exist_ok=True)
        more = block.noted("run with")
        text = block.text
        if more:
            text = re.sub(rf"(?m)^(.*hearspike (?:{'|'.join(HYDRA)}).*?)(\s+#.*)?$", rf"\1 {more}", text)
        _run(["bash", "-euo", "pipefail", "-c", text], tmp_path, environment, f"{page}:{block.line}")
    if python:
        _run(
            [sys.executable, "-W", "error::FutureWarning", "-c", "\n".join(python)],
            tmp_path,
            environment,
            str(page),
        )


def _run(command: list[str], folder: Path, environment: dict[str, str], place: str) -> None:
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, f"{place}:\n{command[-1]}\n{result.stdout}{result.stderr}"

"""Loading a folder of runs: what the records say, whatever became of the index, and fast."""

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hearspike.errors import InputError
from hearspike.leaderboard.metrics import Metric
from hearspike.leaderboard.record import read_record
from hearspike.leaderboard.run_summary import right_answers
from hearspike.leaderboard.store import INDEX_NAME, load_answers, load_runs


@pytest.fixture
def folder(tmp_path: Path, write_run: Any) -> Path:
    """Six runs of two models, one with chips."""
    for seed in range(3):
        write_run(tmp_path / "a" / str(seed), model="svm", seed=seed)
        write_run(tmp_path / "b" / str(seed), model="rsnn", backend="bss2", chips=4, seed=seed)
    return tmp_path


def from_records(folder: Path) -> pd.DataFrame:
    """Return what loading gives without an index."""
    (folder / INDEX_NAME).unlink(missing_ok=True)
    return load_runs(folder)


def test_a_line_says_what_the_record_says(folder: Path) -> None:
    """Identity, metrics and their companions, in the order of the paths; the same by way of the index."""
    first, again = load_runs(folder), load_runs(folder)
    pd.testing.assert_frame_equal(first, again)
    assert list(first["path"]) == ["a/0", "a/1", "a/2", "b/0", "b/1", "b/2"]
    record = read_record(folder / "b" / "1" / "record.json")
    line = first.set_index("path").loc["b/1"]
    assert (line["model"], line["seed"], line["chips"]) == ("rsnn", 1, 4)
    assert line["accuracy"] == record.metrics["accuracy"].value
    assert (line["accuracy.low"], line["accuracy.high"]) == record.metrics["accuracy"].interval
    assert line["energy_per_sample.model"] == "operations, 45 nm"


def test_answers_are_those_of_the_predictions(folder: Path) -> None:
    """With the index and without, each sample's count of chips that were right."""
    with np.load(folder / "b" / "2" / "predictions.npz") as arrays:
        expected = (arrays["labels"] == arrays["targets"]).sum(axis=0)
    for _ in range(2):
        np.testing.assert_array_equal(load_answers(folder, ["b/2"])["b/2"], expected)
        load_runs(folder)


def test_changed_new_and_deleted_runs_are_seen(folder: Path, write_run: Any) -> None:
    """The index never hides what became of the records."""
    load_runs(folder)
    write_run(folder / "c" / "0", model="new")
    shutil.rmtree(folder / "a" / "1")
    shutil.rmtree(folder / "b" / "0")
    write_run(folder / "b" / "0", model="other", accuracy=0.9)
    loaded = load_runs(folder)
    pd.testing.assert_frame_equal(loaded, from_records(folder))
    assert list(loaded["model"]) == ["svm", "svm", "other", "rsnn", "rsnn", "new"]


@pytest.mark.parametrize("seed", range(6))
def test_damaged_index_is_made_again(folder: Path, seed: int) -> None:
    """Any bytes overwritten, or a file cut short, and the runs still load right; then the index is whole."""
    expected = load_runs(folder)
    index = folder / INDEX_NAME
    content = bytearray(index.read_bytes())
    chosen = random.Random(seed)  # places to damage
    for _ in range(40):
        content[chosen.randrange(len(content))] ^= chosen.randrange(1, 256)
    index.write_bytes(content[: len(content) // 2] if seed == 0 else content)
    pd.testing.assert_frame_equal(load_runs(folder), expected)
    pd.testing.assert_frame_equal(load_runs(folder), expected)


def test_a_lie_in_the_index_is_found(folder: Path) -> None:
    """A line that is whole SQL and other than what was written does not get into a table."""
    expected = load_runs(folder)
    index = sqlite3.connect(folder / INDEX_NAME)
    with index:
        index.execute("""UPDATE runs SET summary = replace(summary, '"svm"', '"SVM"')""")
    index.close()
    pd.testing.assert_frame_equal(load_runs(folder), expected)


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_what_lies_at_the_place_of_the_index_does_not_matter(folder: Path, content: bytes | None) -> None:
    """An empty file, another file, or a folder."""
    if content is None:
        (folder / INDEX_NAME).mkdir()
    else:
        (folder / INDEX_NAME).write_bytes(content)
    assert len(load_runs(folder)) == 6
    assert len(load_answers(folder, ["a/0", "b/0"])) == 2


WORKER = """
import sys
from pathlib import Path
from hearspike.leaderboard.record import Record, write_record
from hearspike.leaderboard.store import load_runs

folder, worker = Path(sys.argv[1]), sys.argv[2]
for seed in range(10):
    config = {"model": {"name": worker}, "seed": seed}
    record = Record("failed", "no", {"name": "digits"}, worker, "software", seed, config)
    write_record(record, folder / worker / str(seed))
    assert len(load_runs(folder)) > seed
"""


def test_many_processes_write_and_load_at_once(tmp_path: Path) -> None:
    """Four processes write ten runs each and load the folder after each: nothing is lost, none fails."""
    commands = [[sys.executable, "-c", WORKER, str(tmp_path), f"worker-{number}"] for number in range(4)]
    workers = [subprocess.Popen(command) for command in commands]
    assert [worker.wait(timeout=120) for worker in workers] == [0] * 4
    loaded = load_runs(tmp_path)
    assert len(loaded) == 40
    pd.testing.assert_frame_equal(loaded, from_records(tmp_path))


def test_broken_record_is_named(folder: Path) -> None:
    """The tables are not made of what is left."""
    (folder / "a" / "1" / "record.json").write_text("{")
    with pytest.raises(InputError, match=r"a/1/record\.json"):
        load_runs(folder)


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    """The error says what makes one."""
    with pytest.raises(InputError, match="hearspike evaluate"):
        load_runs(tmp_path / "no")


def test_empty_folder_has_no_runs(tmp_path: Path) -> None:
    """No runs, no error."""
    assert load_runs(tmp_path).empty


def test_a_run_whose_process_is_gone_is_interrupted(tmp_path: Path, write_run: Any) -> None:
    """Also when the index has seen it running."""
    write_run(tmp_path / "run", status="running", metrics={})
    for _ in range(2):
        assert list(load_runs(tmp_path)["status"]) == ["interrupted"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: (folder / "predictions.npz").unlink(), "no predictions.npz beside the record"),
        (lambda folder: (folder / "predictions.npz").write_bytes(b"x"), "not the file that the run wrote"),
    ],
)
def test_predictions_that_are_not_those_of_the_run(folder: Path, change: Any, reason: str) -> None:
    """The reason is told, and nothing is compared."""
    change(folder / "a" / "0")
    line = load_runs(folder).set_index("path").loc["a/0"]
    assert reason in line["answers_reason"]
    assert load_answers(folder, ["a/0"]) == {}


def test_accuracy_must_be_that_of_the_predictions(tmp_path: Path, write_run: Any) -> None:
    """A record that claims more than its predictions show is not compared."""
    path = write_run(tmp_path / "run", metrics={"accuracy": Metric(0.99, "1", "higher")})
    right, reason = right_answers(read_record(path), path.parent)
    assert right is None
    assert reason == "the accuracy in the record is not that of its predictions"


def test_ten_thousand_runs_load_in_two_seconds(tmp_path: Path, write_run: Any) -> None:
    """By way of the index; time of the processor, the best of three. Records of the size of real ones."""
    path = write_run(tmp_path / "template" / "0", model="rsnn", backend="bss2", chips=100)
    content = json.loads(path.read_text())
    text = json.dumps({**content, "notes": ["x" * 5000]}).replace('"created": "2026', '"created": "%d')
    shutil.rmtree(tmp_path / "template")
    for run in range(10_000):
        folder = tmp_path / f"{run // 100}" / f"{run % 100}"
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(text.replace("%d", str(run)))
    assert len(load_runs(tmp_path)) == 10_000
    taken = []
    for _ in range(3):
        start = time.process_time()
        loaded = load_runs(tmp_path)
        taken.append(time.process_time() - start)
    assert loaded["created"].nunique() == 10_000
    assert min(taken) < 2.0

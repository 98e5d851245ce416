"""A run leaves a record whatever happens to it."""

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest

from hearspike.errors import InputError
from hearspike.leaderboard.record import Record, read_record, settled, write_record
from hearspike.leaderboard.run_folder import open_run
from hearspike.leaderboard.run_lock import LOCK_NAME
from hearspike.leaderboard.store import load_records

STARTED = Record(
    status="running", reason=None, task={"name": "digits"}, model="svm", backend="software", seed=0, config={}
)


def test_a_run_is_on_record_while_it_runs(tmp_path: Path) -> None:
    """Its process holds the lock, so the record says running; then it says what the run wrote."""
    with open_run(tmp_path, STARTED):
        assert [record.status for record in load_records(tmp_path).values()] == ["running"]
        write_record(Record(**{**vars(STARTED), "status": "complete"}), tmp_path)
    assert [record.status for record in load_records(tmp_path).values()] == ["complete"]


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (InputError("model.hidden", -1, "more"), "failed", "model.hidden: got -1, expected more"),
        (MemoryError(), "failed", "MemoryError"),
        (ValueError("no"), "failed", "ValueError: no"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (SystemExit(143), "interrupted", "SystemExit: 143"),
    ],
)
def test_what_stopped_a_run_is_in_its_record(
    tmp_path: Path, error: BaseException, status: str, reason: str
) -> None:
    """Errors make it failed, being stopped makes it interrupted, and the error goes on to the caller."""
    with pytest.raises(type(error)), open_run(tmp_path, STARTED):
        raise error
    record = read_record(tmp_path / "record.json")
    assert (record.status, record.reason) == (status, reason)


def test_a_killed_run_is_recognised(tmp_path: Path) -> None:
    """A process that is killed outright says nothing more; its record counts as interrupted from then on."""
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from hearspike.leaderboard.record import Record
        from hearspike.leaderboard.run_folder import open_run
        started = Record("running", None, {"name": "digits"}, "svm", "software", 0, {})
        with open_run(Path(sys.argv[1]), started):
            print("started", flush=True)
            time.sleep(60)
        """
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        assert [record.status for record in load_records(tmp_path).values()] == ["running"]
        with pytest.raises(InputError, match="exists already"), open_run(tmp_path, STARTED):
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (record,) = load_records(tmp_path).values()
    assert (record.status, record.reason) == ("interrupted", "its process ended without a word")
    assert read_record(tmp_path / "record.json").status == "running"


@pytest.mark.parametrize("error", [None, InputError("x", 1, "2"), KeyboardInterrupt()])
def test_a_run_that_has_ended_leaves_no_lock(tmp_path: Path, error: BaseException | None) -> None:
    """However it ended; and looking at it makes no lock again."""
    with suppress(InputError, KeyboardInterrupt), open_run(tmp_path, STARTED):
        assert (tmp_path / LOCK_NAME).exists()
        if error:
            raise error
        write_record(Record(**{**vars(STARTED), "status": "complete"}), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]
    assert settled(STARTED, tmp_path).status != "running"
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_of_many_processes_at_one_folder_one_makes_the_run(tmp_path: Path) -> None:
    """Four at once in each of 25 folders, that lock, write and unlock as fast as they can: 25 runs."""
    program = textwrap.dedent(
        """
        import sys
        from dataclasses import replace
        from pathlib import Path
        from hearspike.errors import InputError
        from hearspike.leaderboard.record import Record, settled, write_record
        from hearspike.leaderboard.run_folder import open_run
        started = Record("running", None, {"name": "digits"}, "svm", "software", 0, {})
        sys.stdin.readline()
        for number in range(25):
            folder = Path(sys.argv[1]) / str(number)
            try:
                with open_run(folder, started):
                    assert settled(started, folder).status == "running"
                    write_record(replace(started, status="complete"), folder)
                print(number)
            except InputError:
                settled(started, folder)
        """
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    made = [int(line) for worker in workers for line in worker.communicate()[0].split()]
    assert [worker.returncode for worker in workers] == [0] * 4
    assert sorted(made) == list(range(25))
    assert not list(tmp_path.rglob(LOCK_NAME))


def test_a_folder_with_a_record_is_refused(tmp_path: Path) -> None:
    """No run writes over another."""
    write_record(Record(**{**vars(STARTED), "status": "complete"}), tmp_path)
    with pytest.raises(InputError, match="exists already"), open_run(tmp_path, STARTED):
        pass

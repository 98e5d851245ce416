"""The commands do what they promise, and every wrong input ends in one line and nothing half-written."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import soundfile

from hearspike.converter import load_spike_table

Run = Callable[..., Any]

RNG = np.random.default_rng(0)
TONE = 0.1 * np.sin(2 * np.pi * 440 * np.arange(4800) / 48_000)


def assert_one_line_error(result: Any, *parts: str) -> None:
    """The error stream ends in one line of error that holds all the parts; before it only progress."""
    assert result.returncode != 0
    *progress, last = result.stderr.splitlines()
    assert all(re.match(r"(speech|spikes): \d+/\d+ ", line) for line in progress), result.stderr
    assert last.startswith("hearspike: error: ")
    for part in (*parts, "got", "expected"):
        assert part in last


def test_convert_writes_spikes(hearspike: Run, data_folder: Path, tmp_path: Path) -> None:
    """A recording becomes sorted spikes over 700 channels, the same for the same seed."""
    audio = data_folder / "heidelberg_digits" / "spoken_digit.flac"
    paths = [tmp_path / f"{name}.npz" for name in ("a", "b", "c")]
    for path, seed in zip(paths, (0, 0, 1), strict=True):
        result = hearspike("convert", audio, "-o", path, "--seed", seed)
        assert result.returncode == 0, result.stderr
    first, again, other = (np.load(path, allow_pickle=False) for path in paths)
    assert (np.diff(first["times"]) >= 0).all()
    assert first["units"].max() < 700
    # 7,153 spikes on average in the reference, with 24 of standard deviation
    assert len(first["times"]) == pytest.approx(7153, rel=0.03)
    np.testing.assert_array_equal(first["times"], again["times"])
    assert len(first["times"]) != len(other["times"]) or (first["times"] != other["times"]).any()


def make_audio(kind: str, path: Path) -> None:
    """Write one of the many ways in which a file can be wrong."""
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("hello, I am no audio\n" * 50)
    elif kind == "folder":
        path.mkdir()
    elif kind == "truncated":
        whole = path.with_name("whole.wav")
        soundfile.write(whole, RNG.normal(size=48_000) * 0.1, 48_000)
        path.write_bytes(whole.read_bytes()[:20_000])
        whole.unlink()
    elif kind == "nan":
        soundfile.write(path, np.where(np.arange(4800) == 7, np.nan, TONE), 48_000, subtype="FLOAT")
    elif kind == "one_sample":
        soundfile.write(path, np.array([0.5]), 48_000)
    else:
        assert kind == "missing"


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "folder", "truncated", "nan", "one_sample"])
def test_convert_refuses_what_is_no_sound(hearspike: Run, tmp_path: Path, kind: str) -> None:
    """One line that names the file, and no output."""
    audio, out = tmp_path / "in.wav", tmp_path / "out" / "out.npz"
    make_audio(kind, audio)
    assert_one_line_error(hearspike("convert", audio, "-o", out), "in.wav")
    assert not out.exists()
    assert not out.parent.exists() or not list(out.parent.iterdir())


def test_convert_mixes_stereo_down_and_says_so(hearspike: Run, tmp_path: Path) -> None:
    """Two channels are averaged, with a notice."""
    soundfile.write(tmp_path / "in.wav", np.stack([TONE, TONE], axis=1), 48_000)
    result = hearspike("convert", tmp_path / "in.wav", "-o", tmp_path / "out.npz")
    assert result.returncode == 0
    assert "hearspike: notice:" in result.stderr
    assert "2 channels" in result.stderr
    assert (tmp_path / "out.npz").exists()


def test_convert_hears_silence(hearspike: Run, tmp_path: Path) -> None:
    """A silent file is told of and gives the spontaneous spikes, not NaN."""
    soundfile.write(tmp_path / "in.wav", np.zeros(4800), 48_000)
    result = hearspike("convert", tmp_path / "in.wav", "-o", tmp_path / "out.npz")
    assert result.returncode == 0
    assert "in.wav" in result.stderr
    assert np.isfinite(np.load(tmp_path / "out.npz")["times"]).all()


def test_convert_refuses_an_output_that_exists(hearspike: Run, tmp_path: Path) -> None:
    """The output stays as it is."""
    soundfile.write(tmp_path / "in.wav", TONE, 48_000)
    (tmp_path / "out.npz").write_text("precious")
    result = hearspike("convert", tmp_path / "in.wav", "-o", tmp_path / "out.npz")
    assert_one_line_error(result, "out.npz", "exists already")
    assert (tmp_path / "out.npz").read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--preset", "human"], ["human", "heidelberg"]),
        (["--channels", "0"], ["channels", "0"]),
        (["--seed", "-1"], ["seed", "-1"]),
    ],
)
def test_convert_refuses_wrong_settings(
    hearspike: Run, tmp_path: Path, words: list[str], parts: list[str]
) -> None:
    """The option is named with its value."""
    soundfile.write(tmp_path / "in.wav", TONE, 48_000)
    assert_one_line_error(
        hearspike("convert", tmp_path / "in.wav", "-o", tmp_path / "out.npz", *words), *parts
    )
    assert not (tmp_path / "out.npz").exists()


def test_convert_takes_folders_in_any_order_and_number_of_processes(hearspike: Run, tmp_path: Path) -> None:
    """A file's spikes depend on its content and the seed alone; the folder's shape is kept."""
    (tmp_path / "audio" / "deep").mkdir(parents=True)
    for index, name in enumerate(("a.wav", "deep/b.flac", "deep/c.wav")):
        soundfile.write(tmp_path / "audio" / name, RNG.normal(size=4800 + index), 48_000)
    (tmp_path / "audio" / "notes.txt").write_text("no audio")
    (tmp_path / "alone.wav").write_bytes((tmp_path / "audio" / "deep" / "c.wav").read_bytes())
    common = ["--channels", 64]
    assert (
        hearspike("convert", tmp_path / "audio", "-o", tmp_path / "two", "--workers", 2, *common).returncode
        == 0
    )
    single = hearspike("convert", tmp_path / "alone.wav", "-o", tmp_path / "c.npz", "--plot", "png", *common)
    assert single.returncode == 0, single.stderr
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    written = sorted(
        path.relative_to(tmp_path / "two").as_posix() for path in (tmp_path / "two").rglob("*.npz")
    )
    assert written == ["a.npz", "deep/b.npz", "deep/c.npz"]
    inside, alone = np.load(tmp_path / "two" / "deep" / "c.npz"), np.load(tmp_path / "c.npz")
    np.testing.assert_array_equal(inside["times"], alone["times"])
    np.testing.assert_array_equal(inside["units"], alone["units"])


def test_convert_writes_tables_and_pictures(hearspike: Run, tmp_path: Path) -> None:
    """In a folder, each recording gets a table and a picture."""
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", TONE, 48_000)
    words = ["--format", "csv", "--plot", "svg", "--channels", 64]
    result = hearspike("convert", tmp_path / "audio", "-o", tmp_path / "out", *words)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.csv", "a.svg"]
    assert load_spike_table(tmp_path / "out" / "a.csv").channels == 64


def test_convert_writes_one_spike_file_of_many_recordings(hearspike: Run, tmp_path: Path) -> None:
    """The file keeps the contract, with the recordings' names as sources."""
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", RNG.normal(size=4800), 48_000)
    result = hearspike("convert", tmp_path / "a.wav", tmp_path / "b.wav", "-o", tmp_path / "all.h5")
    assert result.returncode == 0, result.stderr
    assert hearspike("validate", tmp_path / "all.h5").returncode == 0
    with h5py.File(tmp_path / "all.h5") as file:
        assert list(file["extra/source"]) == [b"a", b"b"]


def test_convert_of_many_is_all_or_nothing(hearspike: Run, tmp_path: Path) -> None:
    """One bad file among good ones is named, and no folder appears."""
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", TONE, 48_000)
    (tmp_path / "audio" / "b.wav").write_text("no audio")
    result = hearspike("convert", tmp_path / "audio", "-o", tmp_path / "out", "--channels", 64)
    assert_one_line_error(result, "b.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["audio"]


def test_convert_refuses_another_kind_of_output_for_many(hearspike: Run, tmp_path: Path) -> None:
    """Two files do not fit in one .npz, and two of one name not in one folder."""
    (tmp_path / "deep").mkdir()
    for name in ("a.wav", "deep/a.wav"):
        soundfile.write(tmp_path / name, TONE, 48_000)
    files = [tmp_path / "a.wav", tmp_path / "deep" / "a.wav"]
    assert_one_line_error(hearspike("convert", *files, "-o", tmp_path / "out"), "the same name")
    files[1].rename(tmp_path / "b.wav")
    result = hearspike("convert", files[0], tmp_path / "b.wav", "-o", tmp_path / "out.npz")
    assert_one_line_error(result, "out.npz", "2 files")


def test_convert_refuses_wrong_forms(hearspike: Run, tmp_path: Path) -> None:
    """The forms and pictures that exist are listed."""
    soundfile.write(tmp_path / "in.wav", TONE, 48_000)
    for words in (["--format", "mat"], ["--plot", "bmp"]):
        result = hearspike("convert", tmp_path / "in.wav", "-o", tmp_path / "out", *words)
        assert_one_line_error(result, words[1])


def test_convert_refuses_a_folder_without_audio(hearspike: Run, tmp_path: Path) -> None:
    """The folder is named."""
    (tmp_path / "empty").mkdir()
    assert_one_line_error(hearspike("convert", tmp_path / "empty", "-o", tmp_path / "out"), "empty")


def test_convert_refuses_another_kind_of_output(hearspike: Run, tmp_path: Path) -> None:
    """The kinds that exist are listed."""
    soundfile.write(tmp_path / "in.wav", TONE, 48_000)
    result = hearspike("convert", tmp_path / "in.wav", "-o", tmp_path / "out.txt")
    assert_one_line_error(result, "out.txt", ".npz")


def test_validate_reports_every_breach(hearspike: Run, task_folder: Path, tmp_path: Path) -> None:
    """Exit 0 for a good file; 1 for a bad one, a line for each breach with its place."""
    result = hearspike("validate", task_folder / "train.h5", task_folder / "test.h5")
    assert result.returncode == 0
    assert result.stdout.count("keeps the contract") == 2
    bad = tmp_path / "bad.h5"
    bad.write_bytes((task_folder / "test.h5").read_bytes())
    with h5py.File(bad, "r+") as file:
        file["labels"][3] = 99
        del file["extra/meta_info"]
    result = hearspike("validate", task_folder / "train.h5", bad)
    assert result.returncode == 1
    assert "bad.h5: extra/meta_info: got nothing, expected a group" in result.stdout
    with h5py.File(bad, "r+") as file:
        file.create_group("extra/meta_info")
    assert "bad.h5: labels[3]: got 99" in hearspike("validate", bad).stdout


def test_generate_refuses_an_output_that_exists(hearspike: Run, data_folder: Path, task_folder: Path) -> None:
    """The folder stays as it is."""
    before = sorted(path.name for path in task_folder.iterdir())
    result = hearspike("generate", "corpus=fsdd", f"corpus.root={data_folder}/fsdd", f"out={task_folder}")
    assert_one_line_error(result, str(task_folder), "exists already")
    assert sorted(path.name for path in task_folder.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["corpus=timit"], ["corpus", "timit", "fsdd"]),
        (["corpus=fsdd", "corpus.root=/nowhere"], ["corpus.root", "/nowhere"]),
        (["corpus=fsdd", "corpus.takes=many"], ["corpus.takes", "many"]),
        (["corpus=fsdd", "corpus.speed=2"], ["corpus.speed"]),
        (["corpus=folder", "corpus.root=/nowhere"], ["corpus.name", "nothing", "no default"]),
        (["corpus=fsdd", "seed=-1"], ["seed", "-1"]),
        (["corpus=fsdd", "workers=0"], ["workers", "0"]),
        (["corpus=fsdd", "time_type=int8"], ["time_type", "int8", "float16"]),
        (["corpus=fsdd", "corpus.split.test=[nobody]"], ["split.test", "nobody", "theo"]),
        (["corpus=fsdd", "converter.name=human"], ["human", "heidelberg"]),
    ],
)
def test_generate_refuses_wrong_words(
    hearspike: Run, data_folder: Path, tmp_path: Path, words: list[str], parts: list[str]
) -> None:
    """The key is named with its value, and nothing is left behind."""
    root = (
        [] if any(word.startswith("corpus.root") for word in words) else [f"corpus.root={data_folder}/fsdd"]
    )
    if words == ["corpus=timit"]:
        root = []
    takes = [] if any(word.startswith("corpus.takes") for word in words) or not root else ["corpus.takes=1"]
    result = hearspike("generate", *words, *root, *takes, f"out={tmp_path / 'out'}")
    assert_one_line_error(result, *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["model=transformer"], ["model", "transformer", "linear_svm"]),
        (["modle=rsnn"], ["modle", "model"]),
        (["backend=loihi"], ["backend", "loihi", "bss2"]),
        (["model=rsnn", "model.hidden=many"], ["model.hidden", "many"]),
        (["model=rsnn", "training.epochs=0"], ["training.epochs", "0"]),
        (["seed=one"], ["seed", "one"]),
        (["model=linear_svm", "backend=bss2"], ["SupportVectorMachine", "spiking"]),
        (
            ["model=rsnn", "backend=bss2", "model.input.most_channels=700"],
            ["886 signed inputs", "256"],
        ),
        (["model=rsnn", "backend=bss2", "model.hidden=1000"], ["circuit pairs", "256"]),
        (["model=rsnn", "backend=bss2", "backend.chips=0"], ["chips", "0"]),
        (["model=rsnn", "backend=bss2", "chip@backend.profile=golden"], ["golden", "calibrated"]),
        (["timing_repeats=0"], ["timing_repeats", "0"]),
    ],
)
def test_evaluate_refuses_wrong_words(
    hearspike: Run, task_folder: Path, words: list[str], parts: list[str]
) -> None:
    """The key is named with its value before any training starts."""
    result = hearspike("evaluate", "dataset=fsdd", f"dataset.root={task_folder}", *words)
    assert_one_line_error(result, *parts)


def test_evaluate_refuses_a_folder_with_a_record(hearspike: Run, task_folder: Path, tmp_path: Path) -> None:
    """A run never replaces another one's record."""
    words = ["dataset=fsdd", f"dataset.root={task_folder}", "model=majority", f"hydra.run.dir={tmp_path}"]
    assert hearspike("evaluate", *words).returncode == 0
    before = (tmp_path / "record.json").read_bytes()
    assert_one_line_error(hearspike("evaluate", *words), "record.json", "exists already")
    assert (tmp_path / "record.json").read_bytes() == before


def test_evaluate_refuses_a_broken_file(hearspike: Run, task_folder: Path, tmp_path: Path) -> None:
    """The file is named."""
    for name in ("train.h5", "valid.h5", "test.h5"):
        content = (task_folder / name).read_bytes()
        (tmp_path / name).write_bytes(content[:5000] if name == "test.h5" else content)
    assert_one_line_error(hearspike("evaluate", "dataset=fsdd", f"dataset.root={tmp_path}"), "test.h5")


@pytest.mark.parametrize("form", ["pdf", "TEXT"])
def test_leaderboard_refuses_unknown_forms(hearspike: Run, tmp_path: Path, form: str) -> None:
    """The forms are listed."""
    assert_one_line_error(hearspike("leaderboard", "--runs", tmp_path, "--format", form), form, "markdown")


def test_leaderboard_writes_a_site(hearspike: Run, tmp_path: Path, write_run: Callable[..., Path]) -> None:
    """The page opens from disk; a folder with something else in it is refused."""
    write_run(tmp_path / "runs" / "one")
    result = hearspike("leaderboard", "--runs", tmp_path / "runs", "--page", tmp_path / "site")
    assert result.stdout == f"{tmp_path / 'site' / 'index.html'}: 1 runs\n"
    assert "svm" in (tmp_path / "site" / "index.html").read_text("utf-8")
    refused = hearspike("leaderboard", "--runs", tmp_path / "runs", "--page", tmp_path)
    assert_one_line_error(refused, "--page")


def test_leaderboard_needs_a_folder(hearspike: Run, tmp_path: Path) -> None:
    """A folder that is not there is named."""
    assert_one_line_error(hearspike("leaderboard", "--runs", tmp_path / "no"), "--runs")


@pytest.mark.parametrize("command", [[], ["convert"], ["evaluate"], ["generate"], ["demo"], ["leaderboard"]])
def test_every_command_has_help(hearspike: Run, command: list[str]) -> None:
    """Help exits with 0 and says something."""
    result = hearspike(*command, "--help")
    assert result.returncode == 0
    assert len(result.stdout) > 100


def test_datasets_lists_what_is_there(hearspike: Run, task_folder: Path) -> None:
    """Every spike file with its samples, speakers and spikes."""
    result = hearspike("datasets", "--folder", task_folder.parent, "--format", "csv")
    assert result.returncode == 0, result.stderr
    rows = {row.split(",")[1]: row.split(",")[2:5] for row in result.stdout.splitlines()[1:]}
    assert rows == {
        "train.h5": ["60", "10", "3"],
        "valid.h5": ["20", "10", "1"],
        "test.h5": ["40", "10", "2"],
    }


def test_a_job_in_shards_is_merged(
    hearspike: Run, data_folder: Path, task_folder: Path, tmp_path: Path
) -> None:
    """Two shards and a merge write the files of the whole job, to the byte."""
    words = ["corpus=fsdd", f"corpus.root={data_folder}/fsdd", "corpus.takes=2", f"out={tmp_path / 'out'}"]
    for shard in ("1/2", "2/2"):
        result = hearspike("generate", *words, f"shard={shard}")
        assert result.returncode == 0, result.stderr
        assert f"shard {shard} converted" in result.stdout
        assert not (tmp_path / "out").exists()
    assert hearspike("merge", tmp_path / "out").returncode == 0
    for name in ("train.h5", "valid.h5", "test.h5"):
        assert (tmp_path / "out" / name).read_bytes() == (task_folder / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["download", "timit"], ["timit", "shd"]),
        (["download", "shd", "--checksum", "abc"], ["--checksum", "abc"]),
        (["merge", "nowhere"], ["nowhere"]),
        (["datasets", "--folder", "nowhere"], ["nowhere"]),
        (["bench", "ears"], ["ears", "converter"]),
    ],
)
def test_other_commands_refuse_wrong_words(hearspike: Run, words: list[str], parts: list[str]) -> None:
    """Each names what it cannot find and what there is."""
    assert_one_line_error(hearspike(*words), *parts)


def test_info_says_versions_and_machine(hearspike: Run) -> None:
    """What a bug report needs."""
    result = hearspike("info")
    assert result.returncode == 0
    assert all(word in result.stdout for word in ("python: ", "numpy: ", "cores: ", "data sets: "))

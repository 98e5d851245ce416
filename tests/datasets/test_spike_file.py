"""The contract of the spike file: what is written reads back, and every breach is found and named."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from hearspike.datasets import read_spike_file, validate_spike_file, write_spike_file
from hearspike.errors import InputError

CLASSES = ("zero", "one", "zwölf")


def write(path: Path, **changes: object) -> Path:
    rng = np.random.default_rng(1)
    counts = (5, 0, 40)
    arguments = {
        "times": [np.sort(rng.uniform(0, 1.3, count)) for count in counts],
        "units": [rng.integers(0, 700, count) for count in counts],
        "labels": [2, 0, 1],
        "speakers": [1, 0, 1],
        "classes": CLASSES,
        "sources": ["a", "b", "c"],
        "speaker_info": {"name": ["anna", "bert"]},
        "attributes": {"corpus": "test"},
        "time_type": "float16",
        **changes,
    }
    times, units = arguments.pop("times"), arguments.pop("units")
    write_spike_file(path, times, units, **arguments)  # type: ignore[arg-type]  # the changes are free
    return path


def test_file_has_the_published_layout(tmp_path: Path) -> None:
    """Paths and types are those that today's readers of SHD open, read with plain h5py."""
    with h5py.File(write(tmp_path / "a.h5")) as file:
        assert h5py.check_vlen_dtype(file["spikes/times"].dtype) == np.float16
        assert h5py.check_vlen_dtype(file["spikes/units"].dtype) == np.uint16
        assert [len(row) for row in file["spikes"]["times"]] == [5, 0, 40]
        assert [key.decode() for key in file["extra"]["keys"]] == list(CLASSES)
        assert list(file["labels"]) == [2, 0, 1]
        assert list(file["extra"]["speaker"]) == [1, 0, 1]
        assert isinstance(file["extra/meta_info"], h5py.Group)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    """Spikes come back exactly in float32, and within half a step of float16 otherwise."""
    times = [np.array([0.1, 0.2]), np.array([]), np.array([1.2345])]
    units = [np.array([3, 699]), np.array([], dtype=int), np.array([0])]
    exact = read_spike_file(write(tmp_path / "a.h5", times=times, units=units, time_type="float32"))
    np.testing.assert_array_equal(exact.events.times, np.concatenate(times).astype(np.float32))
    np.testing.assert_array_equal(exact.events.units, [3, 699, 0])
    np.testing.assert_array_equal(exact.events.offsets, [0, 2, 2, 3])
    assert exact.classes == CLASSES
    rounded = read_spike_file(write(tmp_path / "b.h5", times=times, units=units))
    # Between 1 and 2 s a float16 has steps of 2 ** -10 s.
    np.testing.assert_allclose(rounded.events.times, exact.events.times, atol=2**-11)


def test_same_data_same_bytes(tmp_path: Path) -> None:
    """The file holds no time of writing, no random name."""
    assert write(tmp_path / "a.h5").read_bytes() == write(tmp_path / "b.h5").read_bytes()


def test_nothing_is_left_of_a_file_that_breaks_the_contract(tmp_path: Path) -> None:
    """The writer cannot write what the validator refuses."""
    with pytest.raises(InputError, match=r"labels\[0\]: got 7, expected 0 to 2"):
        write(tmp_path / "a.h5", labels=[7, 0, 1])
    assert list(tmp_path.iterdir()) == []


def test_existing_file_is_kept(tmp_path: Path) -> None:
    """Writing never replaces a file."""
    path = tmp_path / "a.h5"
    path.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        write(path)
    assert path.read_text() == "precious"


def replace(name: str, **keywords: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, **keywords)

    return change


def ragged(name: str, rows: list[list[float]], element_type: type) -> Callable[[h5py.File], None]:
    data = np.empty(len(rows), dtype=object)
    for index, row in enumerate(rows):
        data[index] = np.array(row, dtype=element_type)
    return replace(name, data=data, dtype=h5py.vlen_dtype(element_type))


def delete(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (delete("spikes/units"), "spikes/units: got nothing, expected a dataset"),
        (delete("extra/meta_info"), "extra/meta_info: got nothing, expected a group"),
        (replace("labels", data=[0.5, 1.0, 2.0]), "labels: got type float64, expected integers"),
        (replace("labels", data=[0, 1]), "spikes/times: got 3 entries, expected as many as labels, 2"),
        (replace("labels", data=[0, 1, -1]), "labels[2]: got -1, expected 0 to 2, an index into extra/keys"),
        (replace("extra/keys", data=[1, 2, 3]), "extra/keys: got type int64, expected strings"),
        (replace("spikes/times", data=np.zeros((3, 4))), "spikes/times: got type float64"),
        (
            ragged("spikes/units", [[1.0] * 5, [], [1.0] * 39 + [700.0]], np.uint16),
            "spikes/units[2]: got 700, expected channels 0 to 699",
        ),
        (
            ragged("spikes/units", [[1.0] * 5, [], [1.0] * 39 + [-1.0]], np.int16),
            "spikes/units[2]: got -1, expected channels 0 to 699",
        ),
        (
            ragged("spikes/units", [[1] * 4, [], [1] * 40], np.uint16),
            "spikes/units[0]: got 4 entries where times has 5, expected one for each time",
        ),
        (
            ragged("spikes/times", [[0.1] * 5, [], [0.5] * 39 + [0.4]], np.float16),
            "expected times that do not fall",
        ),
        (
            ragged("spikes/times", [[-0.1] + [0.1] * 4, [], [0.5] * 40], np.float32),
            "spikes/times[0]: got -0.10000000149011612 s, expected times of at least 0 s",
        ),
        (
            ragged("spikes/times", [[0.1] * 4 + [np.nan], [], [0.5] * 40], np.float16),
            "spikes/times[0]: got nan s, expected finite times",
        ),
    ],
)
def test_breach_is_named_with_its_place(
    tmp_path: Path, change: Callable[[h5py.File], None], expected: str
) -> None:
    """The validator says where in the file, what is there, and what should be; the reader refuses."""
    path = write(tmp_path / "a.h5")
    assert validate_spike_file(path) == []
    with h5py.File(path, "r+") as file:
        change(file)
    assert any(expected in str(breach) for breach in validate_spike_file(path))
    with pytest.raises(InputError, match=r"a\.h5"):
        read_spike_file(path)


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all\n", None])
def test_what_is_no_hdf5_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """Empty, text and truncated files are one breach each."""
    path = write(tmp_path / "a.h5")
    path.write_bytes(path.read_bytes()[:2000] if content is None else content)
    (breach,) = validate_spike_file(path)
    assert "an HDF5 file" in breach.expected


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is an error of input, not a traceback of h5py."""
    with pytest.raises(InputError, match=r"none\.h5: got no file"):
        read_spike_file(tmp_path / "none.h5")

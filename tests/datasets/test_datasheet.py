"""Papers of a data set: metadata that catalogues accept, and text that agrees with the files."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from hearspike.datasets import write_spike_file
from hearspike.datasets.croissant import licence_url
from hearspike.datasets.datasheet import write_papers
from hearspike.errors import InputError

FILES = {"train": "train.h5", "test": "test.h5"}
GENERATED = {
    "corpus": "tiny",
    "licence": "CC-BY-SA-4.0",
    "citation": "Jo et al.",
    "hearspike_version": "0.1.0",
    "converter": '{"channels": 700}',
    "cuts": '{"trim_db": null}',
    "split": '{"name": "HeldOutSpeakers", "test": ["bo"]}',
    "seed": "5",
}


def write_set(folder: Path, attributes: dict[str, str]) -> Path:
    for file, speakers in (("train.h5", [0, 0, 1]), ("test.h5", [2])):
        write_spike_file(
            folder / file,
            [np.array([0.25, 0.5])] * len(speakers),
            [np.array([3, 699])] * len(speakers),
            labels=[0] * len(speakers),
            speakers=speakers,
            classes=("null", "fünf"),
            sources=[f"{file}{number}" for number in range(len(speakers))],
            speaker_info={"name": ["al", "jo", "bo"], "gender": ["male", "female", "unknown"]},
            attributes=attributes,
            time_type="float16",
        )
    write_papers(folder, FILES, name="tiny", licence="CC-BY-SA-4.0", citation="Jo et al.")
    return folder


# rdflib, on which mlcroissant builds, deprecates what mlcroissant calls.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_metadata_is_valid_croissant(tmp_path: Path) -> None:
    """mlcroissant finds no error, the checksums are those of the files, and the records can be read."""
    import mlcroissant

    folder = write_set(tmp_path, GENERATED)
    dataset = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    assert dataset.metadata.issues.errors == set()
    # Made, not published: there is no date, and with one the same settings would not give the same bytes.
    assert all("datePublished" in warning for warning in dataset.metadata.issues.warnings)
    assert {item.name: item.sha256 for item in dataset.metadata.distribution} == {
        file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in FILES.values()
    }
    classes = [(row["classes/label"], row["classes/name"]) for row in dataset.records("classes")]
    assert classes == [(0, "null"), (1, "fünf")]
    speakers = [tuple(row.values()) for row in dataset.records("speakers")]
    assert sorted(row[1] for row in speakers) == ["al", "bo", "jo"]
    assert [row["parts/samples"] for row in dataset.records("parts")] == [3, 1]
    assert "https://spdx.org/licenses/CC-BY-SA-4.0.html" in str(dataset.metadata.license)


def test_datasheet_says_what_is_in_the_files(tmp_path: Path) -> None:
    """Counts by class and speaker, how it was made, licence and whom to cite; and always the same."""
    folder = write_set(tmp_path / "one", GENERATED)
    text = (folder / "DATASHEET.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]
    assert ["train", "train.h5", "3", "2", "2", "2", "2", "0.5"] in rows
    assert ["null", "3", "1"] in rows
    assert ["fünf", "0", "0"] in rows
    assert ["bo", "0", "1"] in rows
    for word in ("seed 5", "HeldOutSpeakers", '"channels": 700', "CC-BY-SA-4.0", "Jo et al."):
        assert word in text
    assert (folder / "LICENCE.txt").read_text().startswith("CC-BY-SA-4.0\n")
    assert "IEEE TNNLS" in (folder / "CITATION.txt").read_text()
    other = write_set(tmp_path / "two", GENERATED)
    for path in folder.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes(), path.name


def test_published_set_is_not_said_to_be_made_here(tmp_path: Path) -> None:
    """Without the attributes of a generation, nothing is said of converter and seed."""
    folder = write_set(tmp_path, {})
    text = (folder / "DATASHEET.md").read_text(encoding="utf-8")
    assert "Published by others" in text
    assert "Preprocessing" not in text
    assert (folder / "CITATION.txt").read_text() == "Jo et al.\n"
    assert json.loads((folder / "croissant.json").read_text(encoding="utf-8"))["citeAs"] == "Jo et al."


def test_broken_file_gets_no_papers(tmp_path: Path) -> None:
    """A breach of the contract is named."""
    (tmp_path / "train.h5").write_bytes(b"no spikes")
    with pytest.raises(InputError, match=r"train\.h5"):
        write_papers(tmp_path, {"train": "train.h5"}, name="x", licence="x", citation="x")


@pytest.mark.parametrize(
    ("licence", "known"), [("CC0-1.0", True), ("unknown", False), ("my own, see x", False)]
)
def test_only_spdx_identifiers_have_a_page(licence: str, known: bool) -> None:
    """Free text is left as it is."""
    assert (licence_url(licence) is not None) == known

"""The papers that go with a folder of spike files: datasheet, Croissant metadata, licence, citation.

The datasheet answers the questions of T. Gebru et al., Datasheets for Datasets, Comm. ACM 64(12):86, 2021,
as far as the files themselves can.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

import hearspike
from hearspike.datasets import croissant
from hearspike.datasets.description import FileSummary, describe, summarise_spike_file

DATASHEET, LICENCE, CITATION = "DATASHEET.md", "LICENCE.txt", "CITATION.txt"

CONVERTER_CITATION = (
    "B. Cramer, Y. Stradmann, J. Schemmel, F. Zenke, The Heidelberg Spiking Data Sets for the Systematic "
    "Evaluation of Spiking Neural Networks, IEEE TNNLS 33:2744, 2022"
)


def write_licence(folder: Path, *, licence: str, citation: str) -> None:
    """Write licence and citation of a data set into its folder, unless it came with such files."""
    url = croissant.licence_url(licence)
    texts = {LICENCE: f"{licence}\n" + (f"{url}\n" if url else ""), CITATION: f"{citation}\n"}
    for name, text in texts.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")


def write_papers(folder: Path, files: Mapping[str, str], *, name: str, licence: str, citation: str) -> None:
    """Write all four papers into a folder of spike files; the same files give the same bytes.

    Parameters
    ----------
    folder
        The folder, with the files in it.
    files
        Part → file name.
    name
        Of the data set.
    licence, citation
        Of the data set, as in `hearspike.datasets.Corpus`.

    Raises
    ------
    InputError
        If a file breaks the contract.
    """
    summaries = {part: summarise_spike_file(folder / file) for part, file in files.items()}
    attributes = next(iter(summaries.values())).attributes
    generated = "converter" in attributes
    if generated:
        citation = (
            f"Audio: {citation}\nConverter: {CONVERTER_CITATION}\nSoftware: hearspike {hearspike.__version__}"
        )
    write_licence(folder, licence=licence, citation=citation)
    description = _describe(name, summaries, generated=generated)
    metadata = croissant.croissant(
        name,
        summaries,
        description=description,
        licence=licence,
        citation=citation,
        version=attributes.get("hearspike_version", "1.0.0"),
    )
    (folder / croissant.FILE_NAME).write_text(metadata, encoding="utf-8")
    text = _datasheet(name, description, summaries, attributes if generated else {}, licence, citation)
    (folder / DATASHEET).write_text(text, encoding="utf-8")


def _describe(name: str, summaries: Mapping[str, FileSummary], *, generated: bool) -> str:
    first = next(iter(summaries.values()))
    samples = sum(len(summary.labels) for summary in summaries.values())
    speakers = len({int(number) for summary in summaries.values() for number in summary.speakers})
    source = " converted from audio by a model of the inner ear" if generated else ""
    return (
        f"{name}: {samples} spoken words of {len(first.classes)} classes by {speakers} speakers as spike "
        f"trains of {first.channels} channels{source}, in the HDF5 layout of SHD and SSC."
    )


def _datasheet(
    name: str,
    description: str,
    summaries: Mapping[str, FileSummary],
    attributes: Mapping[str, str],
    licence: str,
    citation: str,
) -> str:
    """Put the sheet together; sections that only a generated set can answer stand in it only then."""
    columns = ["file", "samples", "classes", "speakers", "spikes_per_sample", "channels_used", "longest_s"]
    rows = [vars(describe(summary)) for summary in summaries.values()]
    parts = pd.DataFrame(rows, index=list(summaries), columns=columns).rename_axis("part").reset_index()
    sections = [
        f"# Datasheet of {name}",
        description,
        "## Motivation",
        "Classification of spoken words by spiking neural networks and neuromorphic chips, with spike trains "
        "that everybody reads from the same files.",
        "## Composition",
        _table(parts),
        "A sample is a word: spike times in seconds from its start (`spikes/times`), the channel of each "
        "spike (`spikes/units`), a class (`labels`, an index into `extra/keys`) and a speaker "
        "(`extra/speaker`). Samples by class and speaker:",
        _table(_counts(summaries, "class")),
        _table(_counts(summaries, "speaker")),
        "## Collection",
        *(_collection(attributes) if attributes else ["Published by others; see the citation."]),
        *(_preprocessing(attributes) if attributes else []),
        "## Uses",
        "Samples of a speaker resemble each other: compare models on speakers that training did not hear, "
        "choose models on the validation part, and read the test part once. Voices are personal data: do not "
        "use them to identify or imitate the speakers.",
        "## Distribution and maintenance",
        f"Licence: {licence} (`{LICENCE}`). Cite:",
        *(f"- {line}" for line in citation.splitlines()),
        f"Checksums of the files stand in `{croissant.FILE_NAME}`; `hearspike validate` checks their form.",
    ]
    return "\n\n".join(sections) + "\n"


def _collection(attributes: Mapping[str, str]) -> list[str]:
    return [
        f"Audio of the corpus `{attributes['corpus']}`; who spoke, how and with whose consent, its authors "
        "say (see the citation). `extra/source` names the recording of each sample, and the attribute "
        "`audio_sha256` of each file holds a checksum of all its recordings."
    ]


def _preprocessing(attributes: Mapping[str, str]) -> list[str]:
    split = json.loads(attributes["split"])
    return [
        "## Preprocessing",
        f"Converted by hearspike {attributes['hearspike_version']} with seed {attributes['seed']}, every "
        "recording with its own random stream; the same settings give the same bytes.",
        f"Split: {split.pop('name')}, {json.dumps(split, ensure_ascii=False)}",
        "Cuts:",
        _code(attributes["cuts"]),
        "Converter:",
        _code(attributes["converter"]),
    ]


def _code(text: str) -> str:
    return f"```json\n{json.dumps(json.loads(text), indent=1, ensure_ascii=False)}\n```"


def _counts(summaries: Mapping[str, FileSummary], what: str) -> pd.DataFrame:
    """Count samples by class or speaker [row] in every part [column]."""
    counted = {
        part: pd.Series(
            [summary.classes[label] for label in summary.labels]
            if what == "class"
            else [summary.speaker(number) for number in summary.speakers]
        ).value_counts()
        for part, summary in summaries.items()
    }
    table = pd.DataFrame(counted).fillna(0).astype(int)
    if what == "class":
        table = table.reindex(list(next(iter(summaries.values())).classes), fill_value=0)
    else:
        table = table.sort_index()
    return table.rename_axis(what).reset_index()


def _table(table: pd.DataFrame) -> str:
    return str(
        table.map(lambda cell: f"{cell:.4g}" if isinstance(cell, float | np.floating) else cell).to_markdown(
            index=False, disable_numparse=True
        )
    )

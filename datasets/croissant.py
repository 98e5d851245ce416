"""Croissant metadata of a folder of spike files: JSON-LD that catalogues of data sets read.

Croissant 1.0, http://mlcommons.org/croissant/1.0. The files are declared with their checksums; classes,
speakers and parts are records of their own, since the format knows no way into HDF5.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hearspike.datasets.description import FileSummary

FILE_NAME = "croissant.json"

_TERMS = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet"),
    *("format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
    *("references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField"),
    "transform",
)

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{term: f"cr:{term}" for term in _TERMS},
}
"""The context that the specification asks every description to have, used or not."""


def licence_url(licence: str) -> str | None:
    """Return the page of an SPDX identifier; None for other text."""
    known = re.fullmatch(r"[A-Za-z]+[A-Za-z0-9.]*-[A-Za-z0-9.-]+", licence)
    return f"https://spdx.org/licenses/{licence}.html" if known else None


def croissant(
    name: str,
    summaries: Mapping[str, FileSummary],
    *,
    description: str,
    licence: str,
    citation: str,
    version: str,
) -> str:
    """Return the metadata as text, always the same for the same files.

    Parameters
    ----------
    name
        Of the data set.
    summaries
        Part → its file.
    description, licence, citation, version
        Of the data set; the licence as an SPDX identifier where there is one.
    """
    first = next(iter(summaries.values()))
    content = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": description,
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "license": licence_url(licence) or licence,
        "citeAs": citation,
        "version": version,
        "distribution": [_file(summary) for summary in summaries.values()],
        "recordSet": [
            _records(
                "parts",
                {"part": "Text", "file": "Text", "samples": "Integer"},
                [(part, summary.path.name, len(summary.labels)) for part, summary in summaries.items()],
            ),
            _records("classes", {"label": "Integer", "name": "Text"}, list(enumerate(first.classes))),
            _records(
                "speakers",
                {"number": "Integer", "name": "Text", "gender": "Text", "part": "Text"},
                _speakers(summaries),
            ),
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _file(summary: FileSummary) -> dict[str, Any]:
    with summary.path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject",
        "@id": summary.path.name,
        "name": summary.path.name,
        "contentUrl": summary.path.name,
        "contentSize": f"{summary.path.stat().st_size} B",
        "encodingFormat": "application/x-hdf5",
        "sha256": sha256,
    }


def _records(name: str, fields: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{field}",
                "name": f"{name}/{field}",
                "dataType": f"sc:{kind}",
            }
            for field, kind in fields.items()
        ],
        "data": [
            {f"{name}/{field}": value for field, value in zip(fields, row, strict=True)} for row in rows
        ],
    }


def _speakers(summaries: Mapping[str, FileSummary]) -> list[tuple[int, str, str, str]]:
    return [
        (number, summary.speaker(number), dict(enumerate(summary.genders)).get(number, "unknown"), part)
        for part, summary in summaries.items()
        for number in np.unique(summary.speakers).tolist()
    ]

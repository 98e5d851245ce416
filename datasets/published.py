"""Which data sets can be had from where, and the checksums they were published with."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Archive:
    """One file to download.

    Parameters
    ----------
    url
        Where it is.
    checksum
        ``md5:…`` or ``sha256:…``; None where no published one is known.
    """

    url: str
    checksum: str | None

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class PublishedSet:
    """A data set that others publish.

    Parameters
    ----------
    archives
        Its files.
    licence, citation
        Of the data.
    strip
        Number of outer folders of the archive that are left away.
    spike_files
        Part → name of its spike file; empty for a set of audio.
    """

    archives: tuple[Archive, ...]
    licence: str
    citation: str
    strip: int = 0
    spike_files: Mapping[str, str] = field(default_factory=dict)


_CRAMER = (
    "B. Cramer, Y. Stradmann, J. Schemmel, F. Zenke, The Heidelberg Spiking Data Sets for the Systematic "
    "Evaluation of Spiking Neural Networks, IEEE TNNLS 33:2744, 2022"
)
_ZENKELAB = "https://zenkelab.org/datasets/"

PUBLISHED_SETS = {
    "shd": PublishedSet(
        (
            Archive(f"{_ZENKELAB}shd_train.h5.zip", "md5:f3252aeb598ac776c1b526422d90eecb"),
            Archive(f"{_ZENKELAB}shd_test.h5.zip", "md5:1503a5064faa34311c398fb0a1ed0a6f"),
        ),
        licence="CC-BY-4.0",
        citation=_CRAMER,
        spike_files={"train": "shd_train.h5", "test": "shd_test.h5"},
    ),
    "ssc": PublishedSet(
        (
            Archive(f"{_ZENKELAB}ssc_train.h5.zip", "md5:d102be95e7144fcc0553d1f45ba94170"),
            Archive(f"{_ZENKELAB}ssc_valid.h5.zip", "md5:b4eee3516a4a90dd0c71a6ac23a8ae43"),
            Archive(f"{_ZENKELAB}ssc_test.h5.zip", "md5:a35ff1e9cffdd02a20eb850c17c37748"),
        ),
        licence="CC-BY-4.0",
        citation=_CRAMER,
        spike_files={"train": "ssc_train.h5", "validation": "ssc_valid.h5", "test": "ssc_test.h5"},
    ),
    "speech_commands": PublishedSet(
        (
            Archive(
                "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
                "sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
            ),
        ),
        licence="CC-BY-4.0",
        citation="P. Warden, Speech Commands, arXiv:1804.03209",
    ),
    "fsdd": PublishedSet(
        (
            Archive(
                "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
                "sha256:c680098f5d2355ba7cc4bd8b0ca9e0a24c00ebe3b4c552208889a4d28d4fbc2b",
            ),
        ),
        licence="CC-BY-SA-4.0",
        citation="Z. Jackson et al., Free Spoken Digit Dataset, doi:10.5281/zenodo.1342401",
        strip=1,
    ),
    "heidelberg_digits": PublishedSet(
        (Archive(f"{_ZENKELAB}hd_audio.tar.gz", None),),
        licence="CC-BY-4.0",
        citation=_CRAMER,
    ),
}
"""MD5 sums of SHD and SSC are those that tonic and spikingjelly check; the SHA-256 sum of Speech Commands is
that of torchaudio and mlx-data. That of FSDD stands in one audit of the tag v1.0.10 (3,000 recordings of six
speakers); the host makes the archive at request, so it may change while its content does not."""

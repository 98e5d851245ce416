"""Which data sets can be had from where, and the checksums they were published with."""

from dataclasses import dataclass


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
    """

    archives: tuple[Archive, ...]
    licence: str
    citation: str
    strip: int = 0


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
    ),
    "ssc": PublishedSet(
        (
            Archive(f"{_ZENKELAB}ssc_train.h5.zip", "md5:d102be95e7144fcc0553d1f45ba94170"),
            Archive(f"{_ZENKELAB}ssc_valid.h5.zip", "md5:b4eee3516a4a90dd0c71a6ac23a8ae43"),
            Archive(f"{_ZENKELAB}ssc_test.h5.zip", "md5:a35ff1e9cffdd02a20eb850c17c37748"),
        ),
        licence="CC-BY-4.0",
        citation=_CRAMER,
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
    # Made anew by its host at every request, so its checksum may change while its content does not.
    "fsdd": PublishedSet(
        (
            Archive(
                "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/heads/master.zip", None
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
that of torchaudio and mlx-data."""

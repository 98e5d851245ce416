"""A folder with one folder of audio files for each class."""

from dataclasses import dataclass
from pathlib import Path

from hearspike.datasets.corpus import Recording
from hearspike.errors import InputError

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")


@dataclass(frozen=True)
class AudioFolder:
    """Any set of recordings laid out as ``root/class/…/file.wav``.

    Parameters
    ----------
    root
        The folder; each folder in it is a class, named as the folder is. Names that start with a dot
        or an underscore are left alone.
    name
        Short name of the corpus.
    licence, citation
        Of the audio.
    speaker_from
        Who speaks: ``folder``, the folder that the file lies in (``root/class/speaker/file.wav``);
        ``prefix``, what stands before the first ``_`` of the file's name; or ``file``, every file by a
        speaker of its own.

    Raises
    ------
    InputError
        If ``speaker_from`` is none of these, or there is no recording.
    """

    root: Path
    name: str
    licence: str
    citation: str
    speaker_from: str

    def __post_init__(self) -> None:
        if self.speaker_from not in ("folder", "prefix", "file"):
            raise InputError("corpus.speaker_from", self.speaker_from, "folder, prefix or file")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the folders, sorted."""
        root = Path(self.root)
        if not root.is_dir():
            raise InputError("corpus.root", str(root), "a folder with one folder for each class")
        return tuple(
            sorted(path.name for path in root.iterdir() if path.is_dir() and path.name[0] not in "._")
        )

    def genders(self) -> dict[str, str]:
        """Return nothing: it is not known of anybody."""
        return {}

    def recordings(self, folder: Path) -> list[Recording]:
        """Return the recordings by class and path; ``folder`` stays empty."""
        root = Path(self.root)
        found = [
            Recording(path.relative_to(root).as_posix(), path, label, self._speaker(path, root / name))
            for label, name in enumerate(self.classes)
            for path in sorted((root / name).rglob("*"))
            if path.suffix.lower() in AUDIO_SUFFIXES
        ]
        if not found:
            raise InputError("corpus.root", str(root), "audio files in one folder for each class")
        return found

    def _speaker(self, path: Path, class_folder: Path) -> str:
        if self.speaker_from == "prefix":
            return path.stem.split("_")[0]
        if self.speaker_from == "file":
            return path.relative_to(class_folder.parent).as_posix()
        if path.parent == class_folder:
            raise InputError(
                path, "a file right in the folder of its class", "a folder for its speaker between"
            )
        return path.parent.name

"""hearspike: from audio to spikes to leaderboard rows, in software and on emulated BrainScaleS-2 chips."""

from importlib.metadata import version

__version__ = version("hearspike")
__all__ = ["__version__"]

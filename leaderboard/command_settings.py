"""What all commands share."""

from typing import Any

EXIT_INPUT_ERROR = 1
"""Exit status after a wrong word, and of a check that failed."""

HYDRA_COMMAND: dict[str, Any] = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}
"""Settings of commands whose words go to hydra as they are, ``--help`` and ``-m`` included."""

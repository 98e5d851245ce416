"""Spiking networks for other frameworks, out of a run's folder."""

from pathlib import Path

import nir

from hearspike.baselines import SpikingNetwork
from hearspike.baselines.foreign_graph import Convention, for_framework
from hearspike.errors import InputError
from hearspike.files import new_file
from hearspike.leaderboard.record import FILE_NAME, read_record
from hearspike.leaderboard.reproduction import restore

FRAMEWORKS = {
    "snntorch": Convention(step=1e-4, spike="held", scheme="euler", reset="at_once"),
    "norse": Convention(step=1e-3, spike="held", scheme="euler", reset="at_once"),
}
"""How frameworks read a NIR file, by their importers (snnTorch 1.0, norse 1.1)."""


def export(run: Path, file: Path, *, framework: str | None = None, root: Path | None = None) -> None:
    """Write the network of a run as a NIR file.

    Parameters
    ----------
    run
        Folder of the run.
    file
        The file to write.
    framework
        ``snntorch`` or ``norse`` for a network that gives the same there, step by step; None for one in
        seconds of the data's time, in which a spike is an impulse of 1.
    root
        Folder of its data, if it is not where the record says.

    Raises
    ------
    InputError
        If the model is no spiking network that NIR can say, or the framework is unknown.
    """
    if framework is not None and framework not in FRAMEWORKS:
        raise InputError("--for", framework, f"one of {', '.join(FRAMEWORKS)}")
    record = read_record(run / FILE_NAME)
    fitted = restore(record, run, root=root)
    if not isinstance(fitted, SpikingNetwork):
        raise InputError(run, f"a {record.model}", "a spiking network of neurons that chips have")
    graph = fitted.network()
    if framework is not None:
        graph = for_framework(graph, FRAMEWORKS[framework], step=fitted.step)
    with new_file(file) as temporary:
        nir.write(temporary, graph)

"""Audio → spikes: a model of the inner ear in three stages, each a plain function, and a pipeline of them."""

from hearspike.converter.audio import Conditioning, Waveform, condition, read_audio, resample
from hearspike.converter.basilar_membrane import basilar_membrane_velocity
from hearspike.converter.bushy_cell import BushyCellParameters, bushy_cell_spikes
from hearspike.converter.fibre_types import LIBERMAN_1978, FibreType
from hearspike.converter.hair_cell import HairCellParameters, firing_probability
from hearspike.converter.membrane_response import MembraneParameters, transfer_function
from hearspike.converter.pipeline import PRESETS, Converter, preset
from hearspike.converter.reconstruction import reconstruct
from hearspike.converter.spike_table import load_spike_table, save_spike_table
from hearspike.converter.spike_trains import SpikeTrains, load_spikes, save_spikes

__all__ = [
    "LIBERMAN_1978",
    "PRESETS",
    "BushyCellParameters",
    "Conditioning",
    "Converter",
    "FibreType",
    "HairCellParameters",
    "MembraneParameters",
    "SpikeTrains",
    "Waveform",
    "basilar_membrane_velocity",
    "bushy_cell_spikes",
    "condition",
    "firing_probability",
    "load_spike_table",
    "load_spikes",
    "preset",
    "read_audio",
    "reconstruct",
    "resample",
    "save_spike_table",
    "save_spikes",
    "transfer_function",
]

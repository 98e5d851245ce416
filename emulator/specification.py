"""What the BrainScaleS-2 chip offers: counts, ranges and rates that every copy of the chip shares."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ChipSpecification:
    """The digital and nominal analog data of a chip; nothing in it differs from chip to chip.

    Parameters
    ----------
    name
        Name of the chip.
    circuits
        Neuron circuits.
    circuits_per_neuron
        Circuits joined to one logical neuron, so that its fan-in reaches all rows.
    rows
        Synapse rows that one logical neuron sees (the rows of all its circuits).
    rows_per_input
        Rows that one signed input takes: an excitatory and an inhibitory one.
    labels_per_row
        Sources that can share a row; each synapse listens to one label.
    weight_maximum
        Largest weight code of a synapse.
    tau_mem_range, tau_syn_range
        Shortest and longest membrane and synaptic time constant [s of chip time].
    refractory_range, refractory_period
        Shortest and longest, and usual refractory period [s of chip time].
    cadc_period
        Time between two reads of the parallel converter (CADC) [s of chip time].
    cadc_maximum
        Largest code of the converter.
    leak_code, threshold_code
        Codes at which leak and threshold potential are set; their distance is the unit of potential.
    leak_code_range
        Codes between which leak and reset potential can be set.

    Examples
    --------
    >>> BSS2.signed_inputs, BSS2.neurons, BSS2.codes_per_threshold
    (256, 256, 70)
    """

    name: str
    circuits: int
    circuits_per_neuron: int
    rows: int
    rows_per_input: int
    labels_per_row: int
    weight_maximum: int
    tau_mem_range: tuple[float, float]
    tau_syn_range: tuple[float, float]
    refractory_range: tuple[float, float]
    refractory_period: float
    cadc_period: float
    cadc_maximum: int
    leak_code: int
    threshold_code: int
    leak_code_range: tuple[int, int]

    @property
    def neurons(self) -> int:
        """Logical neurons of one chip."""
        return self.circuits // self.circuits_per_neuron

    @property
    def signed_inputs(self) -> int:
        """Signed inputs of one logical neuron."""
        return self.rows // self.rows_per_input

    @property
    def codes_per_threshold(self) -> int:
        """Converter codes between leak and threshold."""
        return self.threshold_code - self.leak_code


BSS2 = ChipSpecification(
    name="BrainScaleS-2",
    # Pehle et al. 2022, Front. Neurosci. 16:795876: 512 neuron circuits, two synapse arrays of 256 rows by
    # 256 columns, 6-bit weight and 6-bit label per synapse.
    circuits=512,
    rows=512,
    labels_per_row=64,
    weight_maximum=63,
    # Cramer et al. 2022, PNAS 119(4) e2109194119: two circuits per logical neuron, row pairs for the sign,
    # converter read every 1.7 us for up to 256 neurons.
    circuits_per_neuron=2,
    rows_per_input=2,
    cadc_period=1.7e-6,
    cadc_maximum=255,
    # calix (the chip's calibration software): target ranges and default refractory period; leak and
    # threshold targets as in the spiking experiments (80 and 150).
    tau_mem_range=(0.5e-6, 60e-6),
    tau_syn_range=(0.3e-6, 30e-6),
    refractory_range=(40e-9, 32e-6),
    refractory_period=2e-6,
    leak_code=80,
    threshold_code=150,
    leak_code_range=(50, 160),
)

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
    quadrants
        Groups of consecutive circuits that share a converter ramp.
    circuits_per_neuron
        Circuits of a pair: one above, one below, so that together they see all rows. A logical neuron is one
        pair, or several where its fan-in needs them.
    rows
        Synapse rows that one pair sees.
    rows_per_input
        Rows that one signed input takes: an excitatory and an inhibitory one.
    labels_per_row
        Sources that can share a row; each synapse listens to one label.
    weight_maximum
        Largest weight code of a synapse.
    bias_code_maximum
        Largest code of a bias cell (current or voltage) of a circuit.
    acceleration
        Nominal speed of the chip's dynamics over that of biology.
    tau_mem_range, tau_syn_range
        Shortest and longest membrane and synaptic time constant [s of chip time].
    refractory_range, refractory_period
        Shortest and longest, and usual refractory period [s of chip time].
    cadc_period
        Time between two reads of the parallel converter (CADC) [s of chip time].
    cadc_maximum
        Largest code of the converter.
    cadc_neurons
        Neurons that the converter reads at once.
    madc_period
        Time between two samples of the fast converter of one trace (MADC) [s of chip time].
    event_period
        Resolution of event times [s of chip time].
    trace_memory_bytes
        Memory for the converter's codes of a batch.
    leak_code, threshold_code
        Codes at which leak and threshold potential are set; their distance is the unit of potential.
    leak_code_range, threshold_code_range
        Codes between which leak and reset potential, and the threshold, can be set.

    Examples
    --------
    >>> BSS2.signed_inputs, BSS2.pairs, BSS2.codes_per_threshold
    (256, 256, 70)
    >>> BSS2.batch_limit(reads=20)  # the MNIST experiment of Cramer et al. 2022
    25
    """

    name: str
    circuits: int
    quadrants: int
    circuits_per_neuron: int
    rows: int
    rows_per_input: int
    labels_per_row: int
    weight_maximum: int
    bias_code_maximum: int
    acceleration: float
    tau_mem_range: tuple[float, float]
    tau_syn_range: tuple[float, float]
    refractory_range: tuple[float, float]
    refractory_period: float
    cadc_period: float
    cadc_maximum: int
    cadc_neurons: int
    madc_period: float
    event_period: float
    trace_memory_bytes: int
    leak_code: int
    threshold_code: int
    leak_code_range: tuple[int, int]
    threshold_code_range: tuple[int, int]

    @property
    def pairs(self) -> int:
        """Circuit pairs of one chip: its logical neurons, where each takes one pair."""
        return self.circuits // self.circuits_per_neuron

    @property
    def signed_inputs(self) -> int:
        """Signed inputs of one circuit pair."""
        return self.rows // self.rows_per_input

    def batch_limit(self, reads: int) -> int:
        """Return how many samples of ``reads`` reads the trace memory holds."""
        return self.trace_memory_bytes // (reads * self.cadc_neurons)

    @property
    def codes_per_threshold(self) -> int:
        """Converter codes between leak and threshold."""
        return self.threshold_code - self.leak_code


BSS2 = ChipSpecification(
    name="BrainScaleS-2",
    # Pehle et al. 2022, Front. Neurosci. 16:795876: 512 neuron circuits, two synapse arrays of 256 rows by
    # 256 columns, 6-bit weight and 6-bit label per synapse.
    # four quadrants of 128 circuits; bias cells of 10 bits, of which codes 0 to 1022 are used; nominal
    # acceleration; 30 MSample/s of the MADC; event times in steps of 8 ns.
    circuits=512,
    quadrants=4,
    rows=512,
    labels_per_row=64,
    weight_maximum=63,
    bias_code_maximum=1022,
    acceleration=1000.0,
    madc_period=1 / 30e6,
    event_period=8e-9,
    # Cramer et al. 2022, PNAS 119(4) e2109194119: two circuits per logical neuron, row pairs for the sign,
    # converter read every 1.7 us for up to 256 neurons, 131,072 bytes of memory for a batch's codes.
    circuits_per_neuron=2,
    rows_per_input=2,
    cadc_period=1.7e-6,
    cadc_maximum=255,
    cadc_neurons=256,
    trace_memory_bytes=131_072,
    # calix (the chip's calibration software): target ranges and default refractory period; leak and
    # threshold targets as in the spiking experiments (80 and 150).
    tau_mem_range=(0.5e-6, 60e-6),
    tau_syn_range=(0.3e-6, 30e-6),
    refractory_range=(40e-9, 32e-6),
    refractory_period=2e-6,
    leak_code=80,
    threshold_code=150,
    leak_code_range=(50, 160),
    threshold_code_range=(50, 220),
)

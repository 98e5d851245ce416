"""Calibrate chips as in the lab: search over bias codes, guided by nothing but observations.

Quantities, stimuli, searches and their order are those of the chip's calibration software (calix): converter,
refractory period, synaptic time constants, threshold; then, with slow membranes and fast synapses on which
events add up, the synaptic gains; then leak, membrane time constant, reset, and leak once more, because the
leak's bias current, which sets the time constant, shifts it. Left out of that order: bias currents of whole
quadrants of synapses, offsets of the synaptic inputs, and repeats against crosstalk, none of which the
emulated chips have.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.bias_cells import BiasCodes, nominal_codes
from hearspike.emulator.code_search import search_codes
from hearspike.emulator.exponential_fit import fit_decay
from hearspike.emulator.laboratory import (
    DebugVoltage,
    EventAmplitude,
    HeldAtReset,
    Laboratory,
    MembraneDecay,
    Resting,
    Spiking,
    SynapticLine,
    trace_times,
)
from hearspike.emulator.targets import Targets
from hearspike.errors import InputError

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

NOISE_STEP = 5  # codes by which the start of a search is scattered, and the step that is repeated
RAMP_LOW, RAMP_MIDDLE, RAMP_HIGH = 20.0, 120.0, 220.0  # codes at which the converter is set
CHANNEL_RANGE = (-128, 127)
FIT_WINDOW_SYN, FIT_WINDOW_MEM = 6.0, 6.0  # length of a trace in target time constants
DIVISION_MARGIN = 0.85  # below 1, so that noise of the trace leaves no circuit at the end of its range
SWITCH_CODE = 920  # code at which the switch of the line's resistance is decided: 90 % of the largest
INTEGRATING = {"tau_mem": 60e-6, "tau_syn": 1.5e-6}  # s: events add up
GAIN_EVENTS, GAIN_LARGEST_LSB, GAIN_FEWER = 15, 60.0, 0.8
GAIN_HIGH = 1000  # min(1.8 · 500 + 100, 1022)
LEAST_GOOD_SHARE = 0.6  # of the circuits of a chip, below which a target counts as out of reach

TOLERANCES = {
    "converter": 9.0,  # codes: three times the spread of channels that calix accepts
    "tau_syn_exc": 0.2,
    "tau_syn_inh": 0.2,
    "threshold": 8.0,  # codes: calix
    "gain_exc": 0.3,
    "gain_inh": 0.3,
    "tau_mem": 0.25,
    "reset": 8.0,
    "leak": 8.0,
}
"""Largest difference of the last reading from the target: codes, or a share of the target where below 1."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a calibration found.

    Parameters
    ----------
    codes
        The codes to write.
    reached
        Quantity → the reading at those codes [chip, circuit]: seconds or converter codes.
    passed
        Quantity → whether the code is within its range and the reading within tolerance [chip, circuit].
    """

    codes: BiasCodes
    reached: dict[str, Array]
    passed: dict[str, NDArray[np.bool_]]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Circuits that passed in every quantity [chip, circuit]."""
        every: NDArray[np.bool_] = np.logical_and.reduce(list(self.passed.values()))
        return every


def calibrate(lab: Laboratory, targets: Targets) -> Findings:
    """Find the codes at which every circuit does what is wanted.

    Parameters
    ----------
    lab
        The chips.
    targets
        What is wanted.

    Raises
    ------
    InputError
        If on some chip more than 40 % of the circuits cannot be brought to a target: names the first of them
        and what it reached.
    """
    return _Session(lab, targets).run()


class _Session:
    """One calibration: the codes as they stand, and what was found on the way."""

    def __init__(self, lab: Laboratory, targets: Targets) -> None:
        self.lab, self.targets = lab, targets
        self.highest = lab.specification.bias_code_maximum
        self.codes = nominal_codes(len(lab), targets, specification=lab.specification)
        self.reached: dict[str, Array] = {}
        self.passed: dict[str, NDArray[np.bool_]] = {}

    def run(self) -> Findings:
        targets = self.targets
        self.converter()
        for sign in range(2):
            self.synaptic_time_constant(sign, targets.tau_syn)
        self.threshold()
        self.gains()
        self.leak()
        self.membrane_time_constant(targets.tau_mem)
        self.reset()
        self.leak()
        return Findings(codes=self.codes, reached=self.reached, passed=self.passed)

    def search(
        self,
        name: str,
        field: str,
        read: Callable[[BiasCodes], Array],
        target: Array | float,
        *,
        inverted: bool = False,
        high: int | None = None,
        sign: int | None = None,
        final: bool = True,
    ) -> None:
        """Search one field of the codes, of one sign if it has signs, and judge the result."""
        high = self.highest if high is None else high
        shape = np.shape(self.codes.leak)

        def measure(values: Codes) -> Array:
            return read(self.with_codes(field, values, sign))

        values, reading = search_codes(
            measure,
            target,
            low=0,
            high=high,
            inverted=inverted,
            shape=shape,
            scatter=self.lab.scatter(shape[1:], NOISE_STEP),
            noise_step=NOISE_STEP,
        )
        self.codes = self.with_codes(field, values, sign)
        if final:
            self.judge(name, reading, target, within=(values > 0) & (values < high))

    def with_codes(self, field: str, values: Codes, sign: int | None) -> BiasCodes:
        if sign is not None:
            changed = getattr(self.codes, field).copy()
            changed[:, sign] = values
            values = changed
        return replace(self.codes, **{field: values})

    def judge(self, name: str, reading: Array, target: Array | float, *, within: NDArray[np.bool_]) -> None:
        tolerance = TOLERANCES[name]
        limit = tolerance * np.asarray(target) if tolerance < 1 else tolerance
        passed = within & (np.abs(reading - target) <= limit)
        self.reached[name], self.passed[name] = reading, passed
        good = passed.mean(axis=1)
        if good.min() < LEAST_GOOD_SHARE:
            chip = int(good.argmin())
            circuit = int(np.argmin(passed[chip]))
            wanted = float(np.broadcast_to(target, reading.shape)[chip, circuit])
            raise InputError(
                f"calibration of {name}",
                f"{reading[chip, circuit]:.4g} in circuit {circuit} of chip {chip}, and {good[chip]:.0%} of "
                "its circuits within tolerance",
                f"{wanted:.4g} in at least {LEAST_GOOD_SHARE:.0%} of the circuits",
            )

    def converter(self) -> None:
        """Ramps of the quadrants at a low and a high voltage, then the channels at one between."""
        quadrants = self.codes.ramp_offset.shape

        def ramps(field: str, code: float) -> None:
            def measure(values: Codes) -> Array:
                shown = self.lab.observe(DebugVoltage(code=code), replace(self.codes, **{field: values}))
                means: Array = shown.reshape(*quadrants, -1).mean(axis=-1)
                return means

            values, _ = search_codes(measure, code, low=0, high=self.highest, inverted=True, shape=quadrants)
            self.codes = replace(self.codes, **{field: values})

        ramps("ramp_offset", RAMP_LOW)
        ramps("ramp_slope", RAMP_HIGH)
        middle = DebugVoltage(code=RAMP_MIDDLE)
        shown = self.lab.observe(middle, self.codes)
        median = np.median(shown, axis=1, keepdims=True)
        low, high = CHANNEL_RANGE
        registers = np.clip(np.rint(median - shown), low, high).astype(np.int64)
        self.codes = replace(self.codes, channel_offset=registers)
        reading = self.lab.observe(middle, self.codes)
        self.judge("converter", reading, median, within=(registers > low) & (registers < high))

    def synaptic_time_constant(self, sign: int, target: float, *, final: bool = True) -> None:
        """Decay of the synaptic line; a low resistance where the line is too slow at a large current."""
        experiment = SynapticLine(sign=sign, window=FIT_WINDOW_SYN * target)
        times = trace_times(experiment.window)

        def read(codes: BiasCodes) -> Array:
            return fit_decay(times, self.lab.observe(experiment, codes))

        name = f"tau_syn_{('exc', 'inh')[sign]}"
        self.codes = self.with_codes("resistance_low", np.zeros_like(self.codes.leak), sign)
        slow = read(self.with_codes("tau_syn", np.full_like(self.codes.leak, SWITCH_CODE), sign)) > target
        self.codes = self.with_codes("resistance_low", slow.astype(np.int64), sign)
        self.search(name, "tau_syn", read, target, inverted=True, sign=sign, final=final)

    def membrane_time_constant(self, target: float, *, final: bool = True) -> None:
        """Decay of the membrane; the leak's current is divided where it is large enough even so."""
        experiment = MembraneDecay(window=FIT_WINDOW_MEM * target)
        times = trace_times(experiment.window)

        def read(codes: BiasCodes) -> Array:
            return fit_decay(times, self.lab.observe(experiment, codes))

        divided = replace(
            self.codes,
            leak_divided=np.ones_like(self.codes.leak),
            tau_mem=np.full_like(self.codes.leak, self.highest),
        )
        fast = read(divided) < DIVISION_MARGIN * target
        self.codes = replace(self.codes, leak_divided=fast.astype(np.int64))
        self.search("tau_mem", "tau_mem", read, target, inverted=True, final=final)

    def threshold(self) -> None:
        """Largest read of regular spiking from the lowest reset."""

        def read(codes: BiasCodes) -> Array:
            return self.lab.observe(Spiking(), replace(codes, reset=np.zeros_like(codes.reset)))

        self.search("threshold", "threshold", read, self.targets.threshold_code)

    def gains(self) -> None:
        """Amplitude of a train of events on slow membranes: all inputs as strong as the median excitatory."""
        wanted = self.codes
        self.membrane_time_constant(INTEGRATING["tau_mem"], final=False)
        for sign in range(2):
            self.synaptic_time_constant(sign, INTEGRATING["tau_syn"], final=False)
        events = GAIN_EVENTS
        while True:
            amplitude = self.lab.observe(EventAmplitude(sign=0, events=events), self.codes)
            target = np.floor(np.median(amplitude, axis=1, keepdims=True))
            if target.max() < GAIN_LARGEST_LSB:
                break
            events = int(GAIN_FEWER * events)
        for sign, name in enumerate(("gain_exc", "gain_inh")):
            experiment = EventAmplitude(sign=sign, events=events)

            def read(codes: BiasCodes, experiment: EventAmplitude = experiment) -> Array:
                return self.lab.observe(experiment, codes)

            self.search(name, "gain", read, target, high=GAIN_HIGH, sign=sign)
        self.codes = replace(wanted, gain=self.codes.gain)

    def leak(self) -> None:
        """One read at rest."""

        def read(codes: BiasCodes) -> Array:
            return self.lab.observe(Resting(), codes)

        self.search("leak", "leak", read, self.targets.leak_code)

    def reset(self) -> None:
        """One read of held membranes."""

        def read(codes: BiasCodes) -> Array:
            return self.lab.observe(HeldAtReset(), codes)

        self.search("reset", "reset", read, self.targets.reset_code)

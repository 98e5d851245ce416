"""Virtual BrainScaleS-2 chips: placement, device variation, dynamics, readout and energy."""

from hearspike.emulator.activity import Activity
from hearspike.emulator.activity_energy import ActivityEnergy, Constant
from hearspike.emulator.adex import AdEx
from hearspike.emulator.calibrated_chips import CalibratedChips, calibrate_chips, load_calibration
from hearspike.emulator.circuits import Circuits
from hearspike.emulator.conductance import Conductance
from hearspike.emulator.correlation import CorrelationSensor
from hearspike.emulator.emulation import emulate
from hearspike.emulator.energy import ConstantPower
from hearspike.emulator.fixed_pattern import FixedPattern, draw_chips
from hearspike.emulator.links import Links
from hearspike.emulator.multi_run import Schedule, count_runs, cut, emulate_runs
from hearspike.emulator.outcome import Emulation
from hearspike.emulator.placement import Placement, check_budget, place
from hearspike.emulator.profile import ChipProfile, Noise, Variation, decalibrate
from hearspike.emulator.readout import fit_readout
from hearspike.emulator.short_term_plasticity import ShortTermPlasticity
from hearspike.emulator.specification import BSS2, ChipSpecification
from hearspike.emulator.targets import Targets

__all__ = [
    "BSS2",
    "Activity",
    "ActivityEnergy",
    "AdEx",
    "CalibratedChips",
    "ChipProfile",
    "ChipSpecification",
    "Circuits",
    "Conductance",
    "Constant",
    "ConstantPower",
    "CorrelationSensor",
    "Emulation",
    "FixedPattern",
    "Links",
    "Noise",
    "Placement",
    "Schedule",
    "ShortTermPlasticity",
    "Targets",
    "Variation",
    "calibrate_chips",
    "check_budget",
    "count_runs",
    "cut",
    "decalibrate",
    "draw_chips",
    "emulate",
    "emulate_runs",
    "fit_readout",
    "load_calibration",
    "place",
]

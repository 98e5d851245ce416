"""Calibration finds codes through observations alone, and reaches what the real chip's software accepts."""

import ast
import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import nir
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearspike.emulator import (
    BSS2,
    CalibratedChips,
    ChipProfile,
    Noise,
    Targets,
    Variation,
    calibrate_chips,
    draw_chips,
    emulate,
    load_calibration,
    place,
)
from hearspike.emulator import calibration as procedure
from hearspike.emulator.bias_cells import (
    OBSERVED,
    BiasCodes,
    draw_circuits,
    nominal_codes,
    pattern_at,
    refractory_setting,
    respond,
)
from hearspike.emulator.calibrated_chips import LIMITS, circuit_yield, spreads
from hearspike.emulator.calibration import calibrate
from hearspike.emulator.code_search import search_codes
from hearspike.emulator.exponential_fit import fit_decay
from hearspike.emulator.laboratory import Laboratory, Resting, Spiking, SynapticLine, trace_times
from hearspike.errors import InputError

Chain = Callable[..., nir.NIRGraph]

UNCALIBRATED = ChipProfile(
    name="a chip",
    variation=Variation(
        tau_mem=0.13,
        tau_syn=0.24,
        refractory=0.012,
        gain=0.17,
        synapse=0.05,
        threshold=0.09,
        leak=0.19,
        reset=0.18,
        cadc_gain=0.01,
        cadc_offset_lsb=9.95,
        cadc_ramp_gain=0.05,
        cadc_ramp_offset_lsb=10.0,
    ),
    noise=Noise(membrane=0.012, cadc_lsb=0.85),
)
TARGETS = Targets(tau_mem=10e-6, tau_syn=5e-6)
SIX = Targets(tau_mem=6e-6, tau_syn=6e-6)


@pytest.fixture(scope="module")
def calibrated() -> CalibratedChips:
    return calibrate_chips(UNCALIBRATED, TARGETS, chips=2, seed=3, noise_seed=1)


def test_spreads_shrink_as_the_chips_own_software_accepts(calibrated: CalibratedChips) -> None:
    """Limits of calix's tests on hardware, of the drawn values, which the search never saw."""
    rows = {row.quantity: row for row in spreads(calibrated)}
    for quantity, limit in LIMITS.items():
        assert 0 < rows[quantity].after <= limit * rows[quantity].before
    assert rows["gain"].after < 0.5 * rows["gain"].before
    pattern = calibrated.pattern()
    ramps = np.repeat(pattern.cadc_ramp_offset_lsb + 120 * pattern.cadc_ramp_gain, 128, axis=1)
    channels = pattern.cadc_offset_lsb + 120 * pattern.cadc_gain
    assert (channels + ramps).std(axis=1).max() < 3  # codes, as calix accepts
    assert np.abs(ramps - ramps.mean(axis=1, keepdims=True)).max() < 5


def test_means_are_on_target(calibrated: CalibratedChips) -> None:
    """Within 2 %: the largest of many noisy reads puts thresholds about a code of 70 too low."""
    pattern = calibrated.pattern()
    assert pattern.tau_mem.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(pattern.tau_syn.mean(axis=(0, 2)), 1, atol=0.02)
    np.testing.assert_allclose(pattern.gain.mean(axis=(1, 2)), 1, atol=0.05)  # the median of each chip
    for quantity in ("leak", "reset", "threshold"):
        assert abs(getattr(pattern, quantity).mean()) < 0.03  # two converter codes


def test_almost_all_circuits_pass(calibrated: CalibratedChips) -> None:
    """The published calibrations of a real chip succeeded on all 512 circuits."""
    circuits, chips = circuit_yield(calibrated)
    assert circuits > 0.99
    assert chips == 1.0


def test_the_search_has_no_way_to_the_drawn_values() -> None:
    """The procedure imports no module that holds them, and reaches into nothing private."""
    tree = ast.parse(inspect.getsource(procedure))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported.isdisjoint({"hearspike.emulator.fixed_pattern", "hearspike.emulator.calibrated_chips"})
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    assert names.isdisjoint({"Circuits", "respond", "draw_circuits", "pattern_at", "FixedPattern"})
    own = {"self"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            assert isinstance(node.value, ast.Name)
            assert node.value.id in own
    public = {name for name in dir(Laboratory) if not name.startswith("_")}
    assert public == {"observe", "scatter", "specification"}


def test_a_chip_is_calibrated_to_the_same_codes_in_a_population_of_any_size(
    calibrated: CalibratedChips,
) -> None:
    alone = calibrate(
        Laboratory(draw_circuits(draw_chips(UNCALIBRATED, chips=1, seed=3, first_chip=1)), noise_seed=1),
        TARGETS,
    )
    for field in fields(BiasCodes):
        together = getattr(calibrated.findings.codes, field.name)[1:]
        np.testing.assert_array_equal(getattr(alone.codes, field.name), together, err_msg=field.name)


def test_without_variation_or_noise_the_last_code_steps_remain() -> None:
    """Time constants within a bias code; potentials within two converter codes: the converter's own setting
    and the read are rounded, and the largest read lies below the threshold."""
    ideal = ChipProfile(name="ideal", variation=Variation(), noise=Noise())
    shapeless = replace(OBSERVED, exponent_spread=0.0, slope_spread=0.0, leak_shift=0.0)
    circuits = draw_circuits(draw_chips(ideal, chips=1, seed=0), shapeless)
    found = calibrate(Laboratory(circuits, noise_seed=0), SIX)
    pattern = pattern_at(circuits, found.codes, SIX, usable=found.usable)
    assert np.abs(pattern.tau_mem - 1).max() <= 1 / 161
    assert np.abs(pattern.tau_syn - 1).max() <= 1 / 80
    for potential in (pattern.leak, pattern.reset, pattern.threshold):
        assert np.abs(potential).max() <= 2 / 70
    assert found.usable.all()


def test_at_nominal_codes_a_chip_is_one_of_its_profile() -> None:
    """Exactly, at the time constant at which the curves are anchored."""
    drawn = draw_chips(UNCALIBRATED, chips=2, seed=4)
    codes = nominal_codes(2, SIX)
    same = pattern_at(draw_circuits(drawn), codes, SIX, usable=drawn.usable)
    for quantity in ("tau_mem", "tau_syn", "gain", "leak", "reset", "cadc_gain", "cadc_ramp_gain"):
        np.testing.assert_allclose(getattr(same, quantity), getattr(drawn, quantity), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(same.threshold, drawn.threshold, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(code=st.integers(1, 1021), seed=st.integers(0, 5))
def test_curves_are_monotone(code: int, seed: int) -> None:
    circuits = draw_circuits(draw_chips(UNCALIBRATED, chips=1, seed=seed))
    codes = nominal_codes(1, SIX)
    for field, quantity, sign in (
        ("tau_mem", "tau_mem", -1),
        ("tau_syn", "tau_syn", -1),
        ("gain", "gain", 1),
        ("leak", "leak", 1),
        ("reset", "reset", 1),
        ("threshold", "threshold", 1),
    ):
        shape = getattr(codes, field).shape
        lower, upper = (
            getattr(respond(circuits, replace(codes, **{field: np.full(shape, value)})), quantity)
            for value in (code, code + 1)
        )
        assert (sign * (upper - lower) > 0).all()


@pytest.mark.parametrize("name", ["tau_syn", "gain", "threshold"])
def test_circuits_that_cannot_be_brought_to_a_target_are_masked_and_avoided(name: str, chain: Chain) -> None:
    """Three circuits far off: calibration marks them, and no neuron is led by one."""
    drawn = draw_chips(UNCALIBRATED, chips=1, seed=3)
    values = getattr(drawn, name).copy()
    values[..., [4, 9, 300]] = {"tau_syn": 2000.0, "gain": 0.05, "threshold": -9.0}[name]
    lab = Laboratory(draw_circuits(replace(drawn, **{name: values})), noise_seed=1)
    found = calibrate(lab, TARGETS)
    assert not found.usable[0, [4, 9, 300]].any()
    assert found.usable.mean() > 0.99
    chips = pattern_at(draw_circuits(drawn), found.codes, TARGETS, usable=found.usable)
    graph = chain(np.ones((200, 4)), np.ones((5, 200)), tau_mem=10e-3, tau_syn=5e-3)
    shown = emulate(place(graph, time_scale=1000), chips, [], [], [0, 0], duration=0.01, noise_seed=0)
    assert shown.cadc.shape[-1] == 5


def test_a_target_that_most_circuits_cannot_reach_names_one_and_what_it_reached() -> None:
    """A chip whose membranes are all 40 times too fast."""
    drawn = draw_chips(UNCALIBRATED, chips=1, seed=0)
    lab = Laboratory(draw_circuits(replace(drawn, tau_mem=drawn.tau_mem / 4000)), noise_seed=0)
    message = (
        r"calibration of tau_mem: got \S+ in circuit \d+ of chip 0, and 0% of its circuits within tolerance, "
        r"expected 1e-05 in at least 60% of the circuits"
    )
    with pytest.raises(InputError, match=message):
        calibrate(lab, TARGETS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"tau_mem": 61e-6},
            "calibration target tau_mem: got 6.1e-05, expected 5e-07 to 6e-05 s of chip time",
        ),
        ({"tau_syn": 0.1e-6}, "calibration target tau_syn"),
        ({"refractory": 1.0}, "calibration target refractory"),
        ({"leak_code": 20.0}, "calibration target leak_code: got 20.0, expected 50 to 160 converter codes"),
        ({"threshold_code": np.nan}, "calibration target threshold_code: got nan"),
    ],
)
def test_targets_out_of_the_chips_range_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Targets(**{"tau_mem": 6e-6, "tau_syn": 6e-6, **changes})


def test_a_network_with_other_time_constants_is_refused(calibrated: CalibratedChips, chain: Chain) -> None:
    graph = chain(np.ones((2, 3)), np.ones((2, 2)), tau_mem=12e-3, tau_syn=5e-3)
    message = r"'hidden_0': tau_mem: got 1.2e-05 s of chip time, expected 1e-05 s, for which the chips were"
    with pytest.raises(InputError, match=message):
        emulate(
            place(graph, time_scale=1000), calibrated.pattern(), [], [], [0, 0], duration=0.1, noise_seed=0
        )


def test_a_saved_calibration_is_read_back_exactly(calibrated: CalibratedChips, tmp_path: Path) -> None:
    calibrated.save(tmp_path / "chips.npz")
    loaded = load_calibration(tmp_path / "chips.npz")
    assert (loaded.profile, loaded.targets, loaded.seed) == (UNCALIBRATED, TARGETS, 3)
    for quantity in ("tau_mem", "tau_syn", "gain", "leak", "threshold", "usable", "cadc_ramp_gain"):
        np.testing.assert_array_equal(
            getattr(loaded.pattern(), quantity), getattr(calibrated.pattern(), quantity)
        )
    np.testing.assert_array_equal(loaded.pattern(1).leak, calibrated.pattern().leak[:1])
    with pytest.raises(InputError, match="chips: got 3, expected 1 to 2, as many as were calibrated"):
        loaded.pattern(3)


def test_a_changed_or_foreign_file_is_refused(calibrated: CalibratedChips, tmp_path: Path) -> None:
    calibrated.save(tmp_path / "chips.npz")
    with np.load(tmp_path / "chips.npz") as file:
        arrays = {name: file[name] for name in file.files}
    arrays["code/leak"] = arrays["code/leak"] + 1
    np.savez(tmp_path / "changed.npz", **arrays)
    with pytest.raises(InputError, match=r"changed.npz: got contents that do not match their checksum"):
        load_calibration(tmp_path / "changed.npz")
    (tmp_path / "text.npz").write_text("codes")
    np.savez(tmp_path / "other.npz", header=np.array("1"))
    for name in ("text.npz", "other.npz", "missing.npz"):
        with pytest.raises(InputError, match=rf"{name}: got a file that cannot be read"):
            load_calibration(tmp_path / name)


@given(low=st.integers(0, 50), span=st.integers(8, 1022), optimum=st.floats(0, 1), falling=st.booleans())
def test_search_finds_the_best_code_of_a_monotone_curve(
    low: int, span: int, optimum: float, falling: bool
) -> None:
    """Within a code of the crossing, whichever way the curve goes; at an end where it is not crossed."""
    target = low + span * optimum
    sign = -1.0 if falling else 1.0
    found, reading = search_codes(
        lambda code: np.asarray(sign * code, np.float64),
        sign * target,
        low=low,
        high=low + span,
        inverted=falling,
        shape=(3,),
    )
    assert np.abs(found - target).max() <= 1
    np.testing.assert_array_equal(reading, sign * found)


def test_search_of_the_ten_bits_takes_twelve_measurements_and_thirteen_in_noise() -> None:
    for noise_step, expected in ((0, 12), (5, 13)):
        calls: list[int] = []

        def measure(code: np.ndarray, calls: list[int] = calls) -> np.ndarray:
            calls.append(1)
            return code.astype(float)

        search_codes(measure, 77.0, low=0, high=1022, inverted=False, shape=(1,), noise_step=noise_step)
        assert len(calls) == expected


@pytest.mark.parametrize("tau", [1e-6, 5e-6, 10e-6, 40e-6])
def test_fit_of_a_noisy_decay_is_unbiased(tau: float) -> None:
    """2,000 traces of 5 tau with noise of 1 in 40: percents of spread, a median within 4 of its errors."""
    generator = np.random.default_rng(0)
    times = 5 * tau * np.arange(64) / 64
    traces = 12 + 40 * np.exp(-times / tau) + generator.standard_normal((2000, 64))
    fitted = fit_decay(times, traces) / tau
    assert 0.005 < fitted.std() < 0.1
    assert abs(np.median(fitted) - 1) < 4 * 1.25 * fitted.std() / np.sqrt(2000)


def test_readings_are_codes_with_noise_and_belong_to_chip_and_measurement() -> None:
    drawn = draw_chips(UNCALIBRATED, chips=2, seed=0)
    codes = nominal_codes(2, SIX)
    lab, other = (Laboratory(draw_circuits(drawn), noise_seed=5) for _ in range(2))
    first, second = lab.observe(Resting(), codes), lab.observe(Resting(), codes)
    np.testing.assert_array_equal(first, other.observe(Resting(), codes))
    assert not np.array_equal(first, second)
    assert (first == np.rint(first)).all()
    assert 0.5 < (first - second).std() < 3


def test_the_largest_read_of_spiking_is_the_threshold() -> None:
    """Without read noise: below the threshold by a step of a rise over 1,000 reads, and rounding."""
    quiet = replace(UNCALIBRATED, variation=Variation(threshold=0.1), noise=Noise())
    drawn = draw_chips(quiet, chips=1, seed=0)
    lab = Laboratory(draw_circuits(drawn), noise_seed=0)
    difference = lab.observe(Spiking(), nominal_codes(1, SIX)) - (80 + 70 * (1 + drawn.threshold))
    assert difference.max() <= 0.5
    assert difference.min() >= -0.5 - 10 * 70 / 1000  # ten mean steps: once in 22,000


def test_a_line_decays_with_its_time_constant() -> None:
    drawn = draw_chips(replace(UNCALIBRATED, noise=Noise()), chips=1, seed=0)
    lab = Laboratory(draw_circuits(drawn), noise_seed=0)
    trace = lab.observe(SynapticLine(sign=1, window=30e-6), nominal_codes(1, SIX))
    times = trace_times(30e-6)
    np.testing.assert_allclose(fit_decay(times, trace)[0], 6e-6 * drawn.tau_syn[0, 1], rtol=1e-4)


@pytest.mark.parametrize(("period", "scale"), [(40e-9, 0), (0.5e-6, 1), (2e-6, 3), (10e-6, 4), (32e-6, 4)])
def test_refractory_periods_are_counted_on_the_slowest_clock_that_is_fine_enough(
    period: float, scale: int
) -> None:
    """At least 30 cycles bound the error by 3.4 %, except on the fastest clock; the counter has 8 bits."""
    found, counter = refractory_setting(period)
    cycle = 2.0 ** (found + 1) / 250e6
    assert found == scale
    assert 1 <= counter <= 255
    assert 0 < counter * cycle - period <= cycle * (1 + 1e-9)


def test_the_refractory_period_of_the_calibration_is_in_the_pattern(calibrated: CalibratedChips) -> None:
    _, counter = refractory_setting(BSS2.refractory_period)
    assert calibrated.pattern().refractory.mean() == pytest.approx(counter * 64e-9 / 2e-6, rel=0.002)

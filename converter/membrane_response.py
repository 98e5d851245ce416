"""How the basilar membrane answers a tone: the hydrodynamic model in closed form, and its table.

The model is that of Sieroka, Dosch and Rupp (J. Acoust. Soc. Am. 120, 2006), with the numbers of the
published converter of Cramer et al. (IEEE TNNLS 33, 2022; arXiv 1910.07407, section 1). The lengths are
centimetres and the masses grams, as in the source: its closed form holds in these units.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from hearspike.converter.ranges import require_choice, require_number, require_whole
from hearspike.errors import InputError

SYNTHESES = ("reference", "reference-exact", "causal")


@dataclass(frozen=True)
class MembraneParameters:
    """The basilar membrane: symbols of Sieroka, Dosch and Rupp 2006, numbers of Cramer et al. 2022.

    Attributes
    ----------
    channels
        Number of places along the membrane, 1 … 65535. 700: SHD and SSC (Cramer et al. 2022).
    first_place_cm
        Distance of the first place from the base, cm, at least 0. 0: the base (Cramer et al. 2022).
    last_place_cm
        Distance of the last place from the base, cm, at least the first and below where the stiffness
        vanishes; the others lie evenly between. 3.5: the length of the membrane (Cramer et al. 2022).
    damping
        δ of the resistance ``R(c) = δ sqrt(C₀ m) exp(−α c / 2)``, dimensionless, above 0. 0.15: Cramer et
        al. 2022.
    stiffness_g_per_cm2_s2
        C₀ of the stiffness ``S(c) = C₀ exp(−α c) − a``, g cm⁻² s⁻², above 0. 10⁹: Cramer et al. 2022.
    stiffness_offset_g_per_cm2_s2
        a of the stiffness, g cm⁻² s⁻², above 0. 3500: Cramer et al. 2022.
    stiffness_decay_per_cm
        α of the stiffness, 1/cm, above 0. 3: Cramer et al. 2022.
    mass_g_per_cm2
        Membrane mass per area m, g/cm², above 0. 0.05: Cramer et al. 2022.
    canal_height_cm
        Height h of the scalae, cm, above 0. 0.1: Cramer et al. 2022.
    fluid_density_g_per_cm3
        ρ, g/cm³, above 0. 1: water (Cramer et al. 2022).
    synthesis
        ``"reference"``: what the published converter computes — travelling wave backward in time, half the
        audio rate without an anti-aliasing filter, periodic — on the next fast transform length;
        ``"reference-exact"``: the same on exactly its transform length, slow where that has large prime
        factors; ``"causal"``: the wave forward in time, at the audio rate, nothing wrapped around.
    """

    channels: int = 700
    first_place_cm: float = 0.0
    last_place_cm: float = 3.5
    damping: float = 0.15
    stiffness_g_per_cm2_s2: float = 1e9
    stiffness_offset_g_per_cm2_s2: float = 3500.0
    stiffness_decay_per_cm: float = 3.0
    mass_g_per_cm2: float = 0.05
    canal_height_cm: float = 0.1
    fluid_density_g_per_cm3: float = 1.0
    synthesis: str = "reference"

    def __post_init__(self) -> None:
        require_whole(self, "channels", least=1, most=2**16 - 1)
        require_number(self, "first_place_cm", least=0)
        require_number(self, "last_place_cm", least=self.first_place_cm)
        for name in (
            "damping",
            "stiffness_g_per_cm2_s2",
            "stiffness_offset_g_per_cm2_s2",
            "stiffness_decay_per_cm",
            "mass_g_per_cm2",
            "canal_height_cm",
            "fluid_density_g_per_cm3",
        ):
            require_number(self, name, above=0)
        require_choice(self, "synthesis", SYNTHESES)
        if self.stiffness(self.last_place_cm) <= 0:
            limit = np.log(self.stiffness_g_per_cm2_s2 / self.stiffness_offset_g_per_cm2_s2)
            limit /= self.stiffness_decay_per_cm
            expected = f"less than {limit:.3f} cm, where the stiffness vanishes"
            raise InputError("MembraneParameters.last_place_cm", self.last_place_cm, expected)

    def places_cm(self) -> npt.NDArray[np.float64]:
        """Distance of each channel from the base [channel], cm."""
        return np.linspace(self.first_place_cm, self.last_place_cm, self.channels)

    def stiffness(self, place_cm: float | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Stiffness ``S(c) = C₀ exp(−α c) − a``, g cm⁻² s⁻²."""
        decay = np.exp(-self.stiffness_decay_per_cm * np.asarray(place_cm))
        return self.stiffness_g_per_cm2_s2 * decay - self.stiffness_offset_g_per_cm2_s2

    def resonance_hz(self) -> npt.NDArray[np.float64]:
        """Resonance of each channel [channel], Hz: ``sqrt(S(c) / m) / 2π``. The response peaks below."""
        return np.sqrt(self.stiffness(self.places_cm()) / self.mass_g_per_cm2) / (2 * np.pi)

    def place_of_resonance_cm(self, frequency_hz: float) -> float:
        """Place whose resonance is at ``frequency_hz``: `resonance_hz` turned around."""
        stiffness = self.mass_g_per_cm2 * (2 * np.pi * frequency_hz) ** 2 + self.stiffness_offset_g_per_cm2_s2
        return float(np.log(self.stiffness_g_per_cm2_s2 / stiffness) / self.stiffness_decay_per_cm)

    def output_rate(self, sample_rate: int) -> int:
        """Return the steps per second of the velocity, Hz, for audio at ``sample_rate``."""
        return sample_rate if self.synthesis == "causal" else sample_rate // 2


def transfer_function(
    frequency_hz: npt.NDArray[np.float64], place_cm: float, parameters: MembraneParameters
) -> npt.NDArray[np.complex128]:
    """Velocity of the membrane at a place per sound amplitude, in the closed form of the shallow-water model.

    Equations (ω = 2πf; S, R, m, h, ρ, α, a, C₀ as in `MembraneParameters`; H₀ Hankel, J, Y Bessel
    functions)::

        ξ(c) = S(c) − m ω² − i ω R(c)                 impedance
        g(c) = ω sqrt(ρ / (h ξ(c)))                   wave number
        G(c) = 2 g(0) / α − 2 i ω sqrt(ρ) log(B(0) / B(c)) / (α sqrt(h) A),   A = sqrt(a + m ω²)
        B(c) = (α / 2) e^{αc/2} ( −2 sqrt(ξ(c)) + i (2a + ω (2 m ω + i R(c))) / A )
        p(c) = sqrt(G / g) H₀(G)                      pressure
        z    = sqrt(2 C₀ / h) (i J₀(q) + Y₀(q)) / (J₁(q) − i Y₁(q)),   q = (2 ω / α) sqrt(2 / (h C₀))
        V(c) = (2 ω / ξ(c)) z p(c) / p(0)

    Time runs as ``exp(−iωt)`` here: the conjugate belongs to the convention of the discrete Fourier
    transform.

    Parameters
    ----------
    frequency_hz
        Frequencies above 0 [frequency], Hz.
    place_cm
        Distance from the base, cm.
    parameters
        The membrane.

    Returns
    -------
    V [frequency].
    """
    from scipy.special import hankel1, j0, j1, y0, y1

    omega = 2 * np.pi * np.asarray(frequency_hz, dtype=np.float64)
    alpha, height = parameters.stiffness_decay_per_cm, parameters.canal_height_cm
    mass, offset = parameters.mass_g_per_cm2, parameters.stiffness_offset_g_per_cm2_s2
    stiffness, density = parameters.stiffness_g_per_cm2_s2, parameters.fluid_density_g_per_cm3
    inertia = np.sqrt(offset + mass * omega**2)

    def resistance(place: float) -> float:
        return float(parameters.damping * np.sqrt(stiffness * mass) * np.exp(-alpha * place / 2))

    def impedance(place: float) -> npt.NDArray[Any]:
        return parameters.stiffness(place) - mass * omega**2 - 1j * omega * resistance(place)

    def wave_number(place: float) -> npt.NDArray[Any]:
        return np.asarray(omega * np.sqrt(density / (height * impedance(place))))

    def branch(place: float) -> npt.NDArray[Any]:
        loss = 2 * offset + omega * (2 * mass * omega + 1j * resistance(place))
        bracket = -2 * np.sqrt(impedance(place)) + 1j * loss / inertia
        return np.asarray(alpha / 2 * np.exp(alpha * place / 2) * bracket)

    def pressure(place: float) -> npt.NDArray[Any]:
        logarithm = np.log(branch(0.0) / branch(place))
        phase = 2 * wave_number(0.0) / alpha
        phase = phase - 2j * omega * np.sqrt(density) * logarithm / (alpha * np.sqrt(height) * inertia)
        return np.asarray(np.sqrt(phase / wave_number(place)) * hankel1(0, phase))

    q = 2 * omega / alpha * np.sqrt(2 / (height * stiffness))
    input_impedance = np.sqrt(2 * stiffness / height) * (1j * j0(q) + y0(q)) / (j1(q) - 1j * y1(q))
    velocity: npt.NDArray[np.complex128] = (
        2 * omega / impedance(place_cm) * input_impedance * pressure(place_cm) / pressure(0.0)
    )
    return velocity


@dataclass(frozen=True)
class TransferTable:
    """`transfer_function` of every channel on knots that grow with frequency, for interpolation.

    Attributes
    ----------
    values
        V [knot, part, channel], real part and imaginary part.
    band_knots
        Knot from which on a channel answers with less than `_NEGLIGIBLE` of its peak [channel].
    """

    values: npt.NDArray[np.float32]
    band_knots: npt.NDArray[np.int32]


_FIRST_HZ = 0.5
_LINEAR_BELOW_HZ = 60.0
_KNOTS_PER_E_FOLD = 200
_BAND_OF_RESONANCE = 3.0
_NEGLIGIBLE = 1e-6
# The phase at the apex turns by up to 2π · 60 Hz · 0.06 s / 200 ≈ 0.1 rad from knot to knot, so that the
# error of cubic interpolation, 3/128 of the fourth power of the turn, is a few 1e-6.


def knot_position(frequency_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Place of a frequency on the axis of knots: linear at low, logarithmic at high frequencies."""
    warped = np.arcsinh(frequency_hz / _LINEAR_BELOW_HZ) - np.arcsinh(_FIRST_HZ / _LINEAR_BELOW_HZ)
    positions: npt.NDArray[np.float64] = np.maximum(warped * _KNOTS_PER_E_FOLD, 0.0)
    return positions


@lru_cache(maxsize=4)
def transfer_table(parameters: MembraneParameters, highest_hz: float) -> TransferTable:
    """Tabulate the transfer function up to ``highest_hz``; kept for the life of the process.

    Parameters
    ----------
    parameters
        The membrane; gives the channels.
    highest_hz
        Highest frequency that will be asked for, Hz.
    """
    knots = int(knot_position(np.array([highest_hz]))[0]) + 4
    start = np.arcsinh(_FIRST_HZ / _LINEAR_BELOW_HZ)
    frequency = _LINEAR_BELOW_HZ * np.sinh(np.arange(knots) / _KNOTS_PER_E_FOLD + start)
    values = np.zeros((knots, 2, parameters.channels), dtype=np.float32)
    band = np.zeros(parameters.channels, dtype=np.int32)
    resonances = parameters.resonance_hz()
    for channel, place in enumerate(parameters.places_cm()):
        inside = int(np.searchsorted(frequency, _BAND_OF_RESONANCE * resonances[channel]))
        response = transfer_function(frequency[:inside], float(place), parameters)
        magnitude = np.abs(response)
        heard = int(np.flatnonzero(magnitude > _NEGLIGIBLE * magnitude.max())[-1]) + 1
        values[:heard, 0, channel], values[:heard, 1, channel] = response.real[:heard], response.imag[:heard]
        band[channel] = heard
    return TransferTable(values=values, band_knots=band)

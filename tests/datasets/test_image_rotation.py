"""Images that are written in spike times turn as images do."""

import numpy as np

from hearspike.datasets.image_rotation import ImageRotation, rotate
from hearspike.datasets.latency import logarithmic_latency, one_spike_per_channel


def test_quarter_turns_are_exact() -> None:
    """A quarter turn moves pixels onto pixels: numpy's rot90."""
    images = np.random.default_rng(0).random((3, 16, 16))
    for turns in (-1, 0, 1, 2):
        turned = rotate(images, np.full(3, turns * np.pi / 2))
        np.testing.assert_allclose(turned, np.rot90(images, turns, axes=(1, 2)), atol=1e-12)


def test_turning_back_keeps_a_smooth_image() -> None:
    """A Gaussian blob survives two interpolations; their error is the curvature of the blob over 8."""
    rows, columns = np.mgrid[:16, :16]
    blob = np.exp(-((rows - 6) ** 2 + (columns - 9) ** 2) / (2 * 2.5**2))[None]
    angle = np.array([0.3])
    assert np.abs(rotate(rotate(blob, angle), -angle) - blob).max() < 2 * 2 / (8 * 2.5**2) + 0.01
    assert np.abs(rotate(blob, angle) - blob).max() > 0.1


def test_no_angle_keeps_the_spikes() -> None:
    """Reading times as pixels and writing them again gives the same spikes, to float32."""
    pixels = np.random.default_rng(1).random((5, 256))
    events = one_spike_per_channel(logarithmic_latency(pixels, tau=8e-6, threshold=0.2))
    same = ImageRotation(0.0, 8e-6, 0.2)(events, np.random.default_rng(0))
    np.testing.assert_array_equal(np.diff(same.offsets), np.diff(events.offsets))
    np.testing.assert_allclose(same.times, events.times, rtol=1e-4, atol=1e-9)
    turned = ImageRotation(15.0, 8e-6, 0.2)(events, np.random.default_rng(0))
    again = ImageRotation(15.0, 8e-6, 0.2)(events, np.random.default_rng(0))
    assert np.array_equal(turned.times, again.times)
    assert len(turned.times) != len(events.times)

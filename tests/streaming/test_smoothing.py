"""Against the definitions, computed anew at every step."""

import math

import numpy as np
import pytest

from stvit_video.streaming.smoothing import make_smoother

TIMES = np.array([0.0, 0.16, 0.32, 0.9, 1.0, 1.05, 3.0, 3.16])  # irregular, with a gap
VALUES = np.random.default_rng(3).random((len(TIMES), 5))


def smoothed(smoothing, smoothing_seconds):
    smoother = make_smoother(smoothing, smoothing_seconds)
    return np.stack([smoother.take(seconds, row) for seconds, row in zip(TIMES, VALUES, strict=True)])


@pytest.mark.parametrize("length", [0.0, 0.16, 0.5, 7.0])
def test_the_mean_of_the_last_seconds(length):
    expected = [
        VALUES[: n + 1][[TIMES[n] - t < length - 1e-9 or k == n for k, t in enumerate(TIMES[: n + 1])]].mean(axis=0)
        for n in range(len(TIMES))
    ]
    np.testing.assert_allclose(smoothed("mean", length), expected, rtol=1e-12)


def test_a_mean_over_steps_whose_times_are_no_binary_fractions():
    """Three strides of 0.16 s are 0.48 s, whatever the sum of floats is."""
    smoother = make_smoother("mean", 0.48)
    found = [smoother.take(0.16 * n, np.array([float(n)]))[0] for n in range(60)]
    assert found[2:] == [n - 1.0 for n in range(2, 60)]


@pytest.mark.parametrize("constant", [0.2, 1.0])
def test_the_weights_of_a_moving_average_fall_with_time(constant):
    """A step holds from the step before it to itself, and its weight decays from then on; the first holds for ever."""
    expected = []
    for n, now in enumerate(TIMES):
        weights = [math.exp(-(now - TIMES[0]) / constant)]
        weights += [
            math.exp(-(now - TIMES[k]) / constant) - math.exp(-(now - TIMES[k - 1]) / constant) for k in range(1, n + 1)
        ]
        assert math.isclose(sum(weights), 1.0)
        expected.append(np.tensordot(weights, VALUES[: n + 1], axes=1))
    np.testing.assert_allclose(smoothed("ema", constant), expected, rtol=1e-12)


def test_a_moving_average_does_not_depend_on_how_often_the_same_is_seen():
    few, many = make_smoother("ema", 0.7), make_smoother("ema", 0.7)
    for smoother in (few, many):
        smoother.take(0.0, np.zeros(1))
    for n in range(1, 10):
        many.take(n / 10, np.ones(1))
    np.testing.assert_allclose(few.take(1.0, np.ones(1)), many.take(1.0, np.ones(1)))
    np.testing.assert_allclose(few.take(1.0, np.ones(1)), 1 - math.exp(-1 / 0.7))


def test_no_smoothing():
    np.testing.assert_array_equal(smoothed("mean", 0.0), VALUES)
    np.testing.assert_array_equal(smoothed("ema", 0.0), VALUES)

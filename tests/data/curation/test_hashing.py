"""Fingerprints against hashlib, slow loops, and pictures whose hash is known by hand."""

import hashlib

import numpy as np
import pytest

from stvit_video.data.curation.hashing import (
    HASHED_PLACES,
    content_hash,
    frame_hash,
    hamming_distances,
    hashed_positions,
    mean_cells,
)


def test_content_hash_is_that_of_all_bytes(tmp_path):
    data = np.random.default_rng(0).bytes(3 * 2**20 + 7)
    (tmp_path / "file").write_bytes(data)
    assert content_hash(tmp_path / "file") == hashlib.blake2b(data, digest_size=16).hexdigest()
    (tmp_path / "file").write_bytes(data[:-1] + b"?")
    assert content_hash(tmp_path / "file") != hashlib.blake2b(data, digest_size=16).hexdigest()


def test_positions_by_hand():
    assert hashed_positions(10) == [1, 3, 5, 7, 9]
    assert hashed_positions(1) == [0] * len(HASHED_PLACES)
    assert hashed_positions(3) == [0, 0, 1, 2, 2]
    with pytest.raises(ValueError, match=r"num_frames=0 .*at least 1\b"):
        hashed_positions(0)


@pytest.mark.parametrize("shape", [(24, 27), (25, 31, 3), (5, 7, 3), (1, 1)])
def test_mean_cells_against_a_loop(shape):
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    rows, columns = 8, 9
    found = mean_cells(picture, rows=rows, columns=columns)
    assert found.shape == (rows, columns, *shape[2:])
    for row in range(rows):
        for column in range(columns):
            top, left = row * shape[0] // rows, column * shape[1] // columns
            bottom = max((row + 1) * shape[0] // rows, top + 1)
            right = max((column + 1) * shape[1] // columns, left + 1)
            np.testing.assert_allclose(found[row, column], picture[top:bottom, left:right].mean((0, 1)), atol=1e-9)


def test_hash_of_pictures_by_hand():
    rising = np.tile(np.linspace(0, 255, 90).astype(np.uint8)[None, :, None], (40, 1, 3))
    assert frame_hash(rising) == 2**64 - 1
    assert frame_hash(rising[:, ::-1]) == 0
    upper_half = rising.copy()
    upper_half[20:] = rising[20:, ::-1]
    assert frame_hash(upper_half) == (2**32 - 1) << 32
    assert frame_hash(np.full((40, 90, 3), 16, np.uint8)) is None


def test_hash_survives_scaling_and_brightness_and_tells_pictures_apart():
    rng = np.random.default_rng(2)
    coarse = rng.integers(40, 200, (8, 9, 3), dtype=np.uint8)
    picture = np.repeat(np.repeat(coarse, 20, 0), 20, 1)
    small = np.repeat(np.repeat(coarse, 7, 0), 5, 1) // 2 + 30
    assert abs(bits(frame_hash(picture), frame_hash(small))) <= 2
    other = np.repeat(np.repeat(rng.integers(40, 200, (8, 9, 3), dtype=np.uint8), 20, 0), 20, 1)
    assert bits(frame_hash(picture), frame_hash(other)) > 15


def bits(first, second):
    return bin(first ^ second).count("1")


def test_distances_against_python_integers():
    rng = np.random.default_rng(3)
    first, second = (rng.integers(0, 2**64, size, dtype=np.uint64) for size in (5, 7))
    found = hamming_distances(first[:, None], second[None])
    assert found.tolist() == [[bits(int(a), int(b)) for b in second] for a in first]
    assert hamming_distances(np.array([2**64 - 1], np.uint64), np.array([0], np.uint64)).tolist() == [64]

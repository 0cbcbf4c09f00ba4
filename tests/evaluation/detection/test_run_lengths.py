"""Masks as run lengths: there and back, from every form that annotation files have."""

import json

import numpy as np
import pytest
import torch

from stvit_video.evaluation.detection.run_lengths import decode_mask, encode_masks, mask_areas


@pytest.fixture
def masks():
    drawn = np.random.default_rng(0).random((3, 17, 23)) < 0.4
    drawn[1] = False
    return drawn


@pytest.mark.parametrize("form", [lambda m: m, lambda m: m.astype(np.uint8) * 255, torch.tensor])
def test_masks_come_back(masks, form):
    rles = encode_masks(form(masks))
    assert [rle["size"] for rle in rles] == [[17, 23]] * 3
    assert all((decode_mask(rle) == mask).all() for rle, mask in zip(json.loads(json.dumps(rles)), masks, strict=True))
    assert mask_areas(rles).tolist() == masks.sum(axis=(1, 2)).tolist()


def test_they_are_those_of_pycocotools(masks):
    library = pytest.importorskip("pycocotools.mask")
    expected = [library.encode(np.asfortranarray(mask, dtype=np.uint8)) for mask in masks]
    assert [rle["counts"].encode() for rle in encode_masks(masks)] == [rle["counts"] for rle in expected]
    assert encode_masks(expected) == encode_masks(masks)  # with bytes, as that library has them


def test_uncompressed_runs_are_compressed():
    mask = np.zeros((2, 3), dtype=bool)
    mask[1, 0] = mask[0, 1] = True  # by columns: 0 1 1 0 0 0
    assert encode_masks([{"size": [2, 3], "counts": [1, 2, 3]}]) == encode_masks(mask[None])


def test_no_masks_and_a_wrong_shape():
    assert encode_masks(np.zeros((0, 5, 7))) == encode_masks([]) == []
    assert mask_areas([]).shape == (0,)
    with pytest.raises(ValueError, match=r"must be \(N, H, W\) .*, got the shape \(5, 7\)"):
        encode_masks(np.zeros((5, 7)))

"""Frames that share semantic tokens, through detectors and segmenters: as alone with the tokens of the key frame."""

import pytest
import torch
from drawn_objects import ALL_HEADS, drawn_picture, four_pictures, tiny_detector
from put_tokens import tokens_noted, tokens_put

from stvit_video.dense.create_dense import create_dense
from stvit_video.tokens.key_frames import KeyFrames, clip_tokens
from stvit_video.tokens.shared_tokens import SharedTokens

BACKBONE = {
    "backbone": "stvit_r_casvit_xs",
    "backbone_options": {"embed_dims": (8, 8, 16, 16), "depths": (1, 1, 4, 1), "layer_scale_init": 0.5},
}
MAP_HEADS = {
    "semantic_fpn": {"neck_channels": 8, "head_channels": 8, "dropout": 0.0},
    "upernet": {"head_channels": 8, "auxiliary_channels": 8, "dropout": 0.0},
}
WINDOWS = {"window": 64, "window_stride": 40}


def detector_of(head, **options):
    return tiny_detector(head, score_threshold=0.0, detections=5, **BACKBONE, **options).eval()


def segmenter_of(head, **options):
    torch.manual_seed(0)
    return create_dense(head, num_classes=3, **BACKBONE, **MAP_HEADS[head], **options).eval()


def moving_frames(num_frames, size=(80, 96)):
    """Frames (T, 3, H, W) of a box and a disc that move."""
    drawn = [[(0, 4 + 9 * t, 6, 40 + 9 * t, 30), (1, 50, 70 - 9 * t, 74, 78)] for t in range(num_frames)]
    return torch.stack([drawn_picture(objects, size)[0] for objects in drawn])


def alone(model, run, frame, key):
    """What `run` gives for a frame that recovers from the tokens of its key frame."""
    with tokens_noted(model.backbone) as tokens:
        run(key)
    with tokens_put(model.backbone, tokens):
        return run(frame)[0]


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in found.items():
        torch.testing.assert_close(value, expected[name], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("head", ALL_HEADS)
@torch.no_grad()
def test_detections_are_those_of_frames_with_the_tokens_of_their_key_frame(head):
    detector, frames, size = detector_of(head), moving_frames(4), (80, 96)
    found = detector.detect(frames, [size] * 4, shared=KeyFrames(3).shared(["a"] * 4, range(4)))
    for row, key in enumerate([0, 0, 0, 3]):
        expected = alone(detector, lambda x: detector.detect(x, [size]), frames[row : row + 1], frames[key : key + 1])
        assert_same(found[row], expected)
    own = detector.detect(frames[2:3], [size])[0]["scores"]
    assert not torch.allclose(found[2]["scores"], own, atol=1e-5)


@pytest.mark.parametrize("head", MAP_HEADS)
@torch.no_grad()
def test_labels_are_those_of_frames_with_the_tokens_of_their_key_frame(head):
    segmenter, frames, size = segmenter_of(head), moving_frames(3), (80, 96)
    found = segmenter.segment(frames, [size] * 3, shared=KeyFrames(2).shared(["a"] * 3, range(3)))
    for row, key in enumerate([0, 0, 2]):
        expected = alone(
            segmenter, lambda x: segmenter.segment(x, [size]), frames[row : row + 1], frames[key : key + 1]
        )
        assert_same(found[row], expected)


@torch.no_grad()
def test_windows_share_tokens_with_those_at_their_place():
    segmenter, frames, size = segmenter_of("semantic_fpn", **WINDOWS), moving_frames(2, (96, 128)), (96, 128)
    keys = KeyFrames(2)
    found = [
        segmenter.segment(frame[None], [size], shared=keys.shared(["a"], [i]))[0] for i, frame in enumerate(frames)
    ]
    together = segmenter.segment(frames, [size] * 2, shared=KeyFrames(2).shared(["a"] * 2, [0, 1]))
    plain = segmenter_of("semantic_fpn")
    total, count = torch.zeros(3, *size), torch.zeros(size)
    for top in (0, 32):
        for left in (0, 40, 64):
            place = (slice(top, top + 64), slice(left, left + 64))
            key, frame = (frames[i][(slice(None), *place)][None] for i in (0, 1))
            logits = alone(plain, lambda x: plain.outputs(x, [(64, 64)])["logits"], frame, key)
            pixels = torch.nn.functional.interpolate(logits[None], size=(64, 64), mode="bilinear", align_corners=False)
            total[(slice(None), *place)] += pixels[0]
            count[place] += 1
    shares, labels = (total / count).softmax(0).max(0)
    for one in (found[1], together[1]):
        torch.testing.assert_close(one["scores"], shares, atol=1e-5, rtol=1e-4)
        assert (one["labels"] == labels).float().mean() > 0.999


@torch.no_grad()
def test_a_change_of_size_is_a_key_frame():
    detector, frames = detector_of("retinanet"), moving_frames(3)
    sizes = [(80, 96), (60, 96), (80, 96)]
    for frame, (height, _) in zip(frames, sizes, strict=True):
        frame[:, height:] = 0.0
    found = detector.detect(frames, sizes, shared=SharedTokens(["a"] * 3))
    assert_same(found[1], detector.detect(frames[1:2], sizes[1:2])[0])
    run = lambda x: detector.detect(x, sizes[:1])  # noqa: E731
    assert_same(found[2], alone(detector, run, frames[2:], frames[:1]))


@pytest.mark.parametrize("head", ALL_HEADS)
def test_losses_of_clips_reach_every_weight(head):
    pictures, sizes, targets = four_pictures()
    detector = tiny_detector(head, **BACKBONE)
    losses = detector.losses(pictures, sizes, targets, shared=clip_tokens(4, clip_frames=2))
    assert all(loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
    assert [name for name, one in detector.named_parameters() if one.grad is None] == []


@pytest.mark.parametrize("head", MAP_HEADS)
def test_losses_of_maps_are_those_of_the_maps_that_frames_share(head):
    """In eval mode, where batch norms do not mix the frames: the mean over frames that run alone, of equal sizes."""
    segmenter, frames = segmenter_of(head), moving_frames(2)
    maps = torch.randint(3, (2, 80, 96))
    losses = segmenter.losses(frames, [(80, 96)] * 2, maps, shared=clip_tokens(2, clip_frames=2))

    def run(labels):
        return lambda x: [sum(segmenter.losses(x, [(80, 96)], labels).values())]

    own = run(maps[:1])(frames[:1])[0]
    with tokens_noted(segmenter.backbone) as tokens:
        run(maps[:1])(frames[:1])
    with tokens_put(segmenter.backbone, tokens):
        behind = run(maps[1:])(frames[1:])[0]
    torch.testing.assert_close(sum(losses.values()), (own + behind) / 2)


@pytest.mark.parametrize("head", ["retinanet", "semantic_fpn"])
def test_a_dense_backbone_has_nothing_to_share(head):
    model = create_dense(head, backbone="casvit_xs", num_classes=2).eval()
    run = model.segment if head in MAP_HEADS else model.detect
    with pytest.raises(ValueError, match=r"key_every.*stvit_r_"):
        run(torch.zeros(2, 3, 64, 64), [(64, 64)] * 2, shared=SharedTokens([0, 0]))

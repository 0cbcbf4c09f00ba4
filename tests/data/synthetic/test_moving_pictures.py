"""Drawn movements against the pixels: each colour of a test picture tells the place that it was cut from."""

import numpy as np
import pytest

from stvit_video.data.synthetic.moving_pictures import (
    MIN_VISIBLE,
    KnownPicture,
    Movement,
    draw_moving,
    ellipse_in,
    smooth_path,
)

SIZE = (90, 120)
BOXES = ((10, 12, 31, 30), (60, 20, 84, 37), (40, 55, 66, 79), (95, 60, 117, 74), (0, 70, 20, 90))
LABELS = np.array([0, 2, 1, 0, 2])
CROWD = np.array([False, False, False, True, False])


def coded_picture():
    """Red is the row, green the column."""
    rows, columns = np.indices(SIZE)
    return np.stack([rows, columns, np.full(SIZE, 7)], axis=2).astype(np.uint8)


def known(*, has_masks=True):
    masks = np.stack([ellipse_in(np.array(box, float), height=SIZE[0], width=SIZE[1]) < 1 for box in BOXES])
    return KnownPicture(coded_picture(), masks, None if has_masks else np.array(BOXES, float), LABELS, CROWD)


def movements(frame):
    """Of each pixel of a frame where it was cut, and by how much it moved, as {(rows, columns): pixels}."""
    source = frame.picture[..., :2].astype(int)  # (h, w, 2)
    moved = np.indices(source.shape[:2]).transpose(1, 2, 0) - source
    groups = {}
    for place in np.ndindex(source.shape[:2]):
        groups.setdefault(tuple(moved[place]), []).append(place)
    return source, groups


def expected_objects(frame, clip):
    """The number and the pixels of each object: pixels that moved alike are of the ground, or of one cut-out."""
    source, groups = movements(frame)
    ground = max(groups, key=lambda move: len(groups[move]))
    found = []
    for move, pixels in groups.items():
        for number in range(len(BOXES)):
            own = [place for place in pixels if clip.masks[number][tuple(source[place])]]
            if own and (move == ground or len(own) == len(pixels)):
                found.append((number, own))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_masks_boxes_and_maps_are_those_of_the_pixels(seed):
    clip = known()
    whole = clip.masks.sum((1, 2))
    movement = Movement(num_frames=9, size=(61, 83), step=5.5, num_pasted=3)
    num_hidden = 0
    for frame in draw_moving(clip, movement=movement, rng=np.random.default_rng(seed)):
        assert frame.picture.shape == (61, 83, 3)
        expected = {tuple(sorted(own)): number for number, own in expected_objects(frame, clip)}
        assert len(expected) == len(frame.masks)
        labels = np.zeros((61, 83), np.uint8)
        for row, mask in enumerate(frame.masks):
            own = tuple(sorted(zip(*(axis.tolist() for axis in np.nonzero(mask)), strict=True)))
            number = expected.pop(own)
            rows, columns = zip(*own, strict=True)
            box = (min(columns), min(rows), max(columns) - min(columns) + 1, max(rows) - min(rows) + 1)
            assert tuple(frame.boxes[row]) == box
            assert frame.labels[row] == LABELS[number]
            is_hidden = len(own) < MIN_VISIBLE * whole[number]
            assert frame.crowd[row] == (CROWD[number] or is_hidden)
            num_hidden += is_hidden
            for place in own:
                labels[place] = 255 if CROWD[number] else LABELS[number] + 1
        np.testing.assert_array_equal(frame.label_map(), labels)
    if seed == 0:
        assert num_hidden > 0


def test_boxes_without_outlines_move_with_the_pixels_and_end_at_the_frame():
    clip = known(has_masks=False)
    frames = list(draw_moving(clip, movement=Movement(size=(70, 90), num_pasted=0), rng=np.random.default_rng(3)))
    assert len(frames) == 16
    for frame in frames:
        _, groups = movements(frame)
        ((down, across),) = groups
        expected = []
        for x1, y1, x2, y2 in BOXES:
            left, top, right, bottom = max(0, x1 + across), max(0, y1 + down), min(90, x2 + across), min(70, y2 + down)
            expected.append((left, top, right - left, bottom - top))
        for box in frame.boxes.tolist():
            assert tuple(box) in expected
            assert min(box[2:]) > 0


def test_a_pasted_box_lies_around_its_pixels_and_what_it_hides_is_ignored():
    clip = known(has_masks=False)
    rng, seen = np.random.default_rng(5), 0
    for frame in draw_moving(clip, movement=Movement(size=(70, 90), num_pasted=1, step=3), rng=rng):
        _, groups = movements(frame)
        (ground, core, *_) = sorted(groups, key=lambda move: -len(groups[move]))
        pasted = frame.boxes[-1]
        if len(groups[core]) < 60 or tuple(frame.masks[-1].shape) != (70, 90):
            continue
        seen += 1
        assert ground != core
        for row, column in groups[core]:
            assert pasted[0] <= column < pasted[0] + pasted[2]
            assert pasted[1] <= row < pasted[1] + pasted[3]
        hidden = [mask.sum() for mask in frame.masks[:-1]]
        assert all(not (mask & frame.masks[-1]).any() for mask in frame.masks[:-1])
        assert min(hidden, default=1) > 0
    assert seen > 3


def test_a_clip_follows_from_its_generator():
    movement = Movement(num_frames=4, step=2.5)
    one, same, other = (
        [frame.picture for frame in draw_moving(known(), movement=movement, rng=np.random.default_rng(seed))]
        for seed in (8, 8, 9)
    )
    assert one[0].shape == (67, 90, 3)  # three quarters
    np.testing.assert_array_equal(one, same)
    assert (np.array(one) != other).any()


def test_a_picture_smaller_than_the_window_stands_still():
    frames = list(draw_moving(known(), movement=Movement(size=(500, 500), num_pasted=0), rng=np.random.default_rng(0)))
    assert all((frame.picture == coded_picture()).all() for frame in frames)


def test_pictures_without_objects_move_too():
    empty = KnownPicture(coded_picture(), np.zeros((0, *SIZE), bool), None, LABELS[:0], CROWD[:0])
    frames = list(draw_moving(empty, movement=Movement(num_frames=3), rng=np.random.default_rng(0)))
    assert [(len(frame.masks), frame.boxes.shape) for frame in frames] == [(0, (0, 4))] * 3


@pytest.mark.parametrize("step", [0.5, 4.0, 11.0])
def test_a_path_keeps_its_limits_and_its_speed(step):
    path = smooth_path(np.random.default_rng(2), num_frames=200, step=step, low=(-7, 3), high=(20, 3))
    assert path[:, 0].min() >= -7
    assert path[:, 0].max() <= 20
    assert (path[:, 1] == 3).all()
    moved = np.abs(np.diff(path, axis=0)).max()
    assert moved <= step + 1
    assert len(np.unique(path[:, 0])) > 10

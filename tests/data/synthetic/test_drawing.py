"""The drawings: what a single frame can't say, and what the trajectory does say."""

import numpy as np
import pytest

from stvit_video.data.synthetic.drawing import (
    CLASSES,
    SHAPES,
    Trajectory,
    distance_to_polygon,
    draw_background,
    draw_clip,
    draw_known_clip,
    draw_trajectory,
    object_cover,
)

HEIGHT, WIDTH, NUM_FRAMES = 34, 46, 11


def trajectories(class_name, num, *, seed):
    """(num, T, 4): x and y as shares of the picture, angle as a share of a turn, log radius."""
    result = []
    for index in range(num):
        rng = np.random.default_rng([seed, CLASSES.index(class_name), index])
        t = draw_trajectory(class_name, rng=rng, num_frames=NUM_FRAMES, height=HEIGHT, width=WIDTH)
        turns = t.angle_radians / (2 * np.pi) % 1
        result.append(np.stack([t.x_pixels / WIDTH, t.y_pixels / HEIGHT, turns, np.log(t.radius_pixels)], axis=-1))
    return np.array(result)


def largest_gap(a, b):
    """Kolmogorov-Smirnov distance of two samples."""
    both = np.concatenate([a, b])
    below = [np.searchsorted(np.sort(sample), both, side="right") / len(sample) for sample in (a, b)]
    return np.abs(below[0] - below[1]).max()


def nearest_centroid_accuracy(train, test):
    """Both (classes, n, F): z-score, one centroid a class, share of test rows with the right one nearest."""
    mean, std = train.mean(axis=(0, 1)), train.std(axis=(0, 1)) + 1e-9
    centroids = ((train - mean) / std).mean(axis=1)
    scaled = (test - mean) / std
    distance = ((scaled[:, :, None] - centroids) ** 2).sum(-1)  # (classes, n, classes)
    return (distance.argmin(-1) == np.arange(len(test))[:, None]).mean()


@pytest.fixture(scope="module")
def many_trajectories():
    return np.stack([trajectories(name, 400, seed=3) for name in CLASSES])  # (12, 400, T, 4)


@pytest.mark.parametrize("frame", [0, 4, NUM_FRAMES - 1])
def test_each_single_frame_has_the_same_distribution_in_every_class(many_trajectories, frame):
    at_frame = many_trajectories[:, :, frame]  # (12, 400, 4)
    limit = 1.95 * np.sqrt(2 / 400)  # a gap this wide has probability 0.001 between equal distributions
    for quantity in range(4):
        pooled = at_frame[:, :, quantity].reshape(-1)
        gaps = [largest_gap(at_frame[c, :, quantity], pooled) for c in range(len(CLASSES))]
        assert max(gaps) < limit, (quantity, CLASSES[int(np.argmax(gaps))])


def test_the_trajectory_tells_the_class(many_trajectories):
    steps = np.diff(many_trajectories, axis=2)  # (12, 400, T-1, 4)
    steps[..., :3] -= np.round(steps[..., :3])  # the short way round
    features = np.concatenate([steps.mean(axis=2)[..., :2], np.abs(steps).mean(axis=2)], axis=-1)
    assert nearest_centroid_accuracy(features[:, :200], features[:, 200:]) > 0.97


def test_pictures_of_single_frames_are_at_chance_and_differences_in_time_are_not():
    stills, changes = [], []
    for class_name in CLASSES:
        clips = [
            draw_clip(
                class_name,
                rng=np.random.default_rng([5, CLASSES.index(class_name), i]),
                num_frames=9,
                height=32,
                width=36,
            )
            for i in range(70)
        ]
        clips = np.array(clips).astype(np.float64)  # (70, T, H, W, 3)
        middle = clips[:, 4].reshape(70, 8, 4, 9, 4, 3)
        moments = [middle.mean(axis=(2, 4)).reshape(70, -1), middle.std(axis=(2, 4)).reshape(70, -1)]
        stills.append(np.concatenate(moments, axis=1))  # (70, 432): local means and contrasts
        change = np.abs(clips - clips[:, :1]).mean(axis=(2, 3, 4))
        changes.append(np.concatenate([change, np.abs(np.diff(clips, axis=1)).mean(axis=(2, 3, 4))], axis=1))
    stills, changes = np.array(stills), np.array(changes)
    chance, num_test = 1 / len(CLASSES), 35 * len(CLASSES)
    margin = 3.3 * np.sqrt(chance * (1 - chance) / num_test)
    assert abs(nearest_centroid_accuracy(stills[:, :35], stills[:, 35:]) - chance) < margin
    assert nearest_centroid_accuracy(changes[:, :35], changes[:, 35:]) > chance + 2 * margin


def drawn(class_name, *, seed):
    rng = np.random.default_rng(seed)
    return draw_trajectory(class_name, rng=rng, num_frames=NUM_FRAMES, height=HEIGHT, width=WIDTH)


def steps_pixels(trajectory):
    """(T-1, 2): from frame to frame in x and y, the short way round."""
    dx = (np.diff(trajectory.x_pixels) + WIDTH / 2) % WIDTH - WIDTH / 2
    dy = (np.diff(trajectory.y_pixels) + HEIGHT / 2) % HEIGHT - HEIGHT / 2
    return np.stack([dx, dy], axis=-1)


@pytest.mark.parametrize("class_name", [name for name in CLASSES if name.startswith("move")])
def test_moves_go_where_their_name_says_on_the_screen(class_name):
    names = class_name.split("_")
    steps = steps_pixels(drawn(class_name, seed=8))
    total = steps.sum(axis=0)
    expected = [("right" in names) - ("left" in names), ("down" in names) - ("up" in names)]
    assert np.array_equal(np.sign(np.round(total, 9)), expected)
    assert 0.39 * HEIGHT <= np.hypot(*total) <= 0.60 * HEIGHT  # HEIGHT is the short side
    np.testing.assert_allclose(steps, np.broadcast_to(total / (NUM_FRAMES - 1), steps.shape), atol=1e-9)


@pytest.mark.parametrize(("class_name", "axis"), [("oscillate_horizontal", 0), ("oscillate_vertical", 1)])
def test_swings_turn_back_at_least_twice_and_keep_to_their_axis(class_name, axis):
    steps = steps_pixels(drawn(class_name, seed=2))
    assert np.count_nonzero(np.diff(np.sign(steps[:, axis]))) >= 2
    np.testing.assert_allclose(steps[:, 1 - axis], 0, atol=1e-9)


def test_pulses_come_and_go_in_size_alone():
    trajectory = drawn("pulse", seed=2)
    assert 1.8 < trajectory.radius_pixels.max() / trajectory.radius_pixels.min() < 2.1
    assert np.count_nonzero(np.diff(np.sign(np.diff(trajectory.radius_pixels)))) >= 2
    np.testing.assert_allclose(steps_pixels(trajectory), 0, atol=1e-9)
    assert np.ptp(trajectory.angle_radians) == 0


def test_rotations_turn_at_one_speed_by_140_to_290_degrees_either_way():
    totals = []
    for seed in range(12):
        steps = np.rad2deg(np.diff(drawn("rotate", seed=seed).angle_radians))
        np.testing.assert_allclose(steps, steps[0])
        totals.append(steps.sum())
    assert all(140 <= abs(total) <= 290 for total in totals)
    assert min(totals) < 0 < max(totals)


def test_a_quarter_turn_clockwise_turns_the_drawn_arrow_from_right_to_down():
    at = np.array([20.0, 20.0])
    t = Trajectory(at, at, angle_radians=np.array([0.0, np.pi / 2]), radius_pixels=np.array([12.0, 12.0]))
    cover, head = object_cover(t, corners=np.array(SHAPES["arrow"]), height=40, width=40)
    np.testing.assert_allclose(cover[1], np.rot90(cover[0], k=-1), atol=1e-9)
    row, column = np.nonzero((cover[0] > 0.9) & (head[0] > 0.9))
    assert column.min() > 20  # the head of the arrow that points right is on the right
    row, column = np.nonzero((cover[1] > 0.9) & (head[1] > 0.9))
    assert row.min() > 20


def test_the_object_comes_back_on_the_other_side():
    t = Trajectory(*(np.array([v]) for v in (1.0, 33.0, 0.4, 6.0)))
    inner = Trajectory(*(np.array([v]) for v in (21.0, 15.0, 0.4, 6.0)))
    corners = np.array(SHAPES["flag"])
    cover, _ = object_cover(t, corners=corners, height=HEIGHT, width=WIDTH)
    expected, _ = object_cover(inner, corners=corners, height=HEIGHT, width=WIDTH)
    np.testing.assert_allclose(np.roll(cover[0], (-18, 20), axis=(0, 1)), expected[0], atol=1e-9)


def test_cover_agrees_with_counting_sub_pixels():
    corners, angle, radius = np.array(SHAPES["hook"]), 0.7, 9.3
    t = Trajectory(*(np.array([v]) for v in (14.2, 13.1, angle, radius)))
    cover, _ = object_cover(t, corners=corners, height=28, width=30)
    fine = 8
    y, x = (np.mgrid[0 : 28 * fine, 0 : 30 * fine] + 0.5) / fine
    turned = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = np.stack([(x - 14.2) / radius, (y - 13.1) / radius], axis=-1).reshape(-1, 2)
    inside = np.array([winding_number(point, turned) != 0 for point in points]).reshape(28, fine, 30, fine)
    assert np.abs(cover[0] - inside.mean(axis=(1, 3))).max() < 0.35  # a corner differs most
    assert cover.sum() == pytest.approx(inside.mean(axis=(1, 3)).sum(), rel=0.02)


def winding_number(point, corners):
    """How often the border runs round the point: summed angles, one by one."""
    offsets = corners - point
    angles = np.arctan2(offsets[:, 1], offsets[:, 0])
    steps = np.diff(np.append(angles, angles[0]))
    return round(float(((steps + np.pi) % (2 * np.pi) - np.pi).sum() / (2 * np.pi)))


def test_distance_to_a_square_by_hand():
    square = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    points = np.array([(0.0, 0.0), (0.5, 0.1), (3.0, 0.0), (4.0, 5.0), (1.0, 0.5)])
    distance = distance_to_polygon(points, corners=square)
    np.testing.assert_allclose(distance, [-1.0, -0.5, 2.0, 5.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_fit_the_unit_circle_and_no_turn_maps_one_to_itself(name):
    corners = np.array(SHAPES[name])
    assert np.hypot(*corners.T).max() <= 1.0
    still = Trajectory(*(np.full(36, v) for v in (20.0, 20.0)), np.deg2rad(np.arange(36) * 10.0), np.full(36, 15.0))
    cover, _ = object_cover(still, corners=corners, height=40, width=40)
    overlap = (cover * cover[0]).sum(axis=(1, 2)) / (cover[0] ** 2).sum()
    assert overlap[3:34].max() < 0.93  # 30 to 330 degrees


def test_background_is_moving_slowly_and_has_texture():
    frames = draw_background(rng=np.random.default_rng(1), num_frames=NUM_FRAMES, height=HEIGHT, width=WIDTH)
    assert frames.shape == (NUM_FRAMES, HEIGHT, WIDTH, 3)
    assert frames.std() > 10
    spectrum = np.fft.fft2(frames, axes=(1, 2))
    np.testing.assert_allclose(np.abs(spectrum[0]), np.abs(spectrum[-1]), atol=0.1)  # a pure shift
    assert np.abs(frames[-1] - frames[0]).mean() > 1


def test_one_seed_gives_every_class_the_same_object_and_background():
    first_frames = [
        draw_clip(name, rng=np.random.default_rng(6), num_frames=NUM_FRAMES, height=HEIGHT, width=WIDTH)[0]
        for name in ("move_left", "move_up", "rotate", "pulse")
    ]
    for frame in first_frames[1:]:
        np.testing.assert_array_equal(frame, first_frames[0])


def test_what_the_object_does_not_cover_is_ground():
    """One ground under two objects: frames are the same where neither is, and hardly anywhere else."""
    still, other = (
        draw_known_clip(name, rng=np.random.default_rng(6), num_frames=NUM_FRAMES, height=HEIGHT, width=WIDTH)
        for name in ("rotate", "move_left")
    )
    alike = (still.frames == other.frames).all(axis=-1)  # (T, H, W)
    assert alike[(still.cover == 0) & (other.cover == 0)].all()
    assert alike[(still.cover == 1) != (other.cover == 1)].mean() < 0.1
    known = draw_trajectory(
        "move_left", rng=np.random.default_rng(6), num_frames=NUM_FRAMES, height=HEIGHT, width=WIDTH
    )
    np.testing.assert_array_equal(other.trajectory.x_pixels, known.x_pixels)


def test_unknown_class_is_named():
    with pytest.raises(ValueError, match="'moonwalk'.* move_down, move_down_left"):
        draw_trajectory("moonwalk", rng=np.random.default_rng(0), num_frames=3, height=32, width=34)

"""Draws the clips of the embedded data set: a shape that moves over a drifting texture.

The label is the motion and nothing else. Everything that a single frame shows is drawn independently of it:
shape, colours, texture, and where the object is, how it is turned and how large it is. That is exact: the
picture is a torus (what leaves on the left comes back on the right), the start position is uniform on it, the
start angle is uniform on the circle, and the size is a sine of a uniform phase; each motion only adds an
offset to one of the three, so their joint distribution is the same for every class in every frame.

An object that only grows could not have that property: in the first frame it would be smaller than others.
Hence `pulse` where one might expect growing and shrinking. Turning left and turning right are one class: a small
transformer takes many more epochs to tell them apart, and this set has to show within minutes that all works.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


@dataclass(frozen=True)
class Motion:
    """What one class adds to the object's position, angle and size; 0 everywhere would be standing still.

    Args:
        line: steady travel along (x, y), y down, as a share of the clip's travel.
        swing: to and fro along (x, y), each 0 or 1.
        turn: 1 = the object turns about itself, one way or the other.
        pulse: 1 = the size goes up and down.
    """

    line: tuple[float, float] = (0.0, 0.0)
    swing: tuple[int, int] = (0, 0)
    turn: int = 0
    pulse: int = 0


MOTIONS: dict[str, Motion] = {
    "move_down": Motion(line=(0.0, 1.0)),
    "move_down_left": Motion(line=(-0.7, 0.7)),
    "move_down_right": Motion(line=(0.7, 0.7)),
    "move_left": Motion(line=(-1.0, 0.0)),
    "move_right": Motion(line=(1.0, 0.0)),
    "move_up": Motion(line=(0.0, -1.0)),
    "move_up_left": Motion(line=(-0.7, -0.7)),
    "move_up_right": Motion(line=(0.7, -0.7)),
    "oscillate_horizontal": Motion(swing=(1, 0)),
    "oscillate_vertical": Motion(swing=(0, 1)),
    "pulse": Motion(pulse=1),
    "rotate": Motion(turn=1),
}
CLASSES: tuple[str, ...] = tuple(sorted(MOTIONS))

# Corner points (x, y) in the unit circle, facing +x. No turn below 360 degrees maps a shape to itself.
SHAPES: dict[str, tuple[tuple[float, float], ...]] = {
    "arrow": ((-0.95, -0.3), (0.1, -0.3), (0.1, -0.8), (1.0, 0.0), (0.1, 0.8), (0.1, 0.3), (-0.95, 0.3)),
    "boot": ((-0.8, -0.6), (-0.1, -0.6), (-0.1, 0.0), (0.85, 0.0), (0.85, 0.5), (-0.8, 0.5)),
    "flag": ((-0.97, -0.2), (0.0, -0.2), (0.0, -0.7), (0.8, -0.6), (0.8, 0.1), (0.0, 0.15), (-0.97, 0.15)),
    "hook": ((-0.9, -0.4), (0.8, -0.5), (0.8, 0.6), (0.2, 0.6), (0.2, 0.05), (-0.9, 0.1)),
    "kite": ((-1.0, 0.0), (0.3, -0.75), (0.9, 0.0), (0.3, 0.75)),
    "wedge": ((-0.8, -0.6), (1.0, 0.0), (-0.8, 0.6)),
}

MIDDLE_RADIUS = 0.23  # of the short side
PULSE_LOG_RANGE = 0.36  # the radius runs from exp(-0.36) to exp(0.36) times the middle one: a factor of 2.1
HEAD_FROM = 0.2  # the part of the shape with x above this has the second colour


@dataclass(frozen=True)
class Trajectory:
    """The object in each of T frames, arrays (T,): centre on the torus, y down; angle (clockwise); radius."""

    x_pixels: FloatArray
    y_pixels: FloatArray
    angle_radians: FloatArray
    radius_pixels: FloatArray


@dataclass(frozen=True, eq=False)
class DrawnClip:
    """A clip, and what is known of the object in it.

    Attributes:
        frames: (T, H, W, 3) uint8, RGB.
        trajectory: of the object.
        cover: (T, H, W) from 0 to 1, the share of each pixel that the object covers.
    """

    frames: NDArray[np.uint8]
    trajectory: Trajectory
    cover: FloatArray


def draw_clip(
    class_name: str, *, rng: np.random.Generator, num_frames: int, height: int, width: int
) -> NDArray[np.uint8]:
    """Draw one clip of a class.

    The generator is used in the same order for every class: one seed gives all of them the same object and
    background.

    Args:
        class_name: one of `CLASSES`.
        rng: source of everything random in the clip.
        num_frames, height, width: size of the clip in frames and pixels.

    Returns:
        (T, H, W, 3) uint8, RGB.

    Raises:
        ValueError: there is no class of that name.
    """
    return draw_known_clip(class_name, rng=rng, num_frames=num_frames, height=height, width=width).frames


def draw_known_clip(
    class_name: str, *, rng: np.random.Generator, num_frames: int, height: int, width: int
) -> DrawnClip:
    """Draw one clip, see `draw_clip`, and keep where its object is."""
    trajectory = draw_trajectory(class_name, rng=rng, num_frames=num_frames, height=height, width=width)
    background = draw_background(rng=rng, num_frames=num_frames, height=height, width=width)
    corners = np.array(list(SHAPES.values())[rng.integers(len(SHAPES))])
    body, head = _object_colours(rng, background_brightness=float(background.mean()))
    cover, head_share = object_cover(trajectory, corners=corners, height=height, width=width)
    frames = np.clip(background, 0, 255)
    touched = cover > 0  # (T, H, W), M of them
    colour = body + head_share[touched][:, None] * (head - body)  # (M, 3)
    frames[touched] += cover[touched][:, None] * (colour - frames[touched])
    return DrawnClip((frames + 0.5).astype(np.uint8), trajectory, cover)


def draw_trajectory(
    class_name: str, *, rng: np.random.Generator, num_frames: int, height: int, width: int
) -> Trajectory:
    """Draw where the object is, how it is turned and how large it is, in every frame of a clip.

    Args:
        class_name: one of `CLASSES`.
        rng: source of the start and of the size of the motion.
        num_frames, height, width: size of the clip in frames and pixels.

    Returns:
        The trajectory; in each single frame its distribution is the same for every class.

    Raises:
        ValueError: there is no class of that name.
    """
    if class_name not in MOTIONS:
        raise ValueError(f"no class is called {class_name!r}; the classes are {', '.join(CLASSES)}")
    motion = MOTIONS[class_name]
    short_side = min(height, width)
    x_start, y_start = rng.uniform(0, width), rng.uniform(0, height)
    angle_start, size_phase, swing_phase = rng.uniform(0, 2 * np.pi, size=3)
    travel_pixels = rng.uniform(0.40, 0.60) * short_side
    swing_pixels = rng.uniform(0.18, 0.25) * short_side
    turn_radians = rng.choice([-1, 1]) * np.deg2rad(rng.uniform(140, 290))
    time = np.arange(num_frames) / max(num_frames - 1, 1)  # 0 to 1
    phase = 2 * np.pi * rng.uniform(1.0, 1.3) * time  # a full cycle at least, so no swing looks like a line
    wave = np.sin(swing_phase + phase)
    x = motion.line[0] * travel_pixels * time + motion.swing[0] * swing_pixels * wave
    y = motion.line[1] * travel_pixels * time + motion.swing[1] * swing_pixels * wave
    log_size = PULSE_LOG_RANGE * np.sin(size_phase + motion.pulse * phase)
    return Trajectory(
        x_pixels=(x_start + x) % width,
        y_pixels=(y_start + y) % height,
        angle_radians=angle_start + motion.turn * turn_radians * time,
        radius_pixels=MIDDLE_RADIUS * short_side * np.exp(log_size),
    )


def draw_background(*, rng: np.random.Generator, num_frames: int, height: int, width: int) -> FloatArray:
    """Draw a random texture that drifts slowly, seamless at the borders, in a direction of its own.

    Args:
        rng: source of the texture, its colours and its drift.
        num_frames, height, width: size of the clip in frames and pixels.

    Returns:
        (T, H, W, 3), brightness around the range 0 to 255; a few pixels lie outside of it.
    """
    waves_y = np.fft.fftfreq(height)[:, None]  # cycles a pixel
    waves_x = np.fft.rfftfreq(width)[None, :]
    grain = rng.uniform(0, np.pi)
    along = waves_x * np.cos(grain) + waves_y * np.sin(grain)
    across = waves_y * np.cos(grain) - waves_x * np.sin(grain)
    frequency = np.hypot(along, rng.uniform(1.0, 3.0) * across)
    strength = (frequency + 0.01) ** -rng.uniform(1.0, 1.8)
    strength *= (np.abs(waves_y) < 0.5) & (waves_x < 0.5)  # the highest wave can't be shifted by part of a pixel
    strength[0, 0] = 0.0
    noise = rng.standard_normal((2, 3, height, width // 2 + 1))
    spectrum = strength * (noise[0] + 1j * noise[1] + 1.5 * (noise[0, :1] + 1j * noise[1, :1]))  # (3, H, W/2+1)
    drift = rng.uniform(0.03, 0.10) * min(height, width) * np.arange(num_frames) / max(num_frames - 1, 1)
    direction = rng.uniform(0, 2 * np.pi)
    cycles = waves_x * np.cos(direction) + waves_y * np.sin(direction)
    shift = np.exp(-2j * np.pi * drift[:, None, None] * cycles)  # (T, H, W/2+1)
    moving = spectrum.astype(np.complex64)[:, None] * shift.astype(np.complex64)  # (3, T, H, W/2+1)
    texture = np.fft.irfft2(moving, s=(height, width))  # (3, T, H, W)
    texture *= rng.uniform(14, 24) / max(float(texture.std()), 1e-12)
    colour = rng.uniform(50, 205) + rng.uniform(-25, 25, size=3)
    return np.moveaxis(texture, 0, -1) + colour


def object_cover(
    trajectory: Trajectory, *, corners: FloatArray, height: int, width: int
) -> tuple[FloatArray, FloatArray]:
    """Work out how much of each pixel the object covers, with soft edges one pixel wide.

    Args:
        trajectory: the object in each of T frames.
        corners: (P, 2) corner points (x, y) of the shape, inside the unit circle.
        height, width: size of a frame in pixels.

    Returns:
        Two arrays (T, H, W) from 0 to 1: the share of the pixel that the object covers, and the share of that
        which belongs to its head (the part with the second colour).
    """
    column, row = np.arange(width) + 0.5, np.arange(height) + 0.5
    dx = (column - trajectory.x_pixels[:, None] + width / 2) % width - width / 2  # (T, W), the short way round
    dy = (row - trajectory.y_pixels[:, None] + height / 2) % height - height / 2  # (T, H)
    reach = trajectory.radius_pixels[:, None, None] + 1.0
    near = dx[:, None, :] ** 2 + dy[:, :, None] ** 2 < reach**2  # (T, H, W): only here the shape is looked at
    frame, row_index, column_index = np.nonzero(near)
    radius = trajectory.radius_pixels[frame]
    cos, sin = np.cos(trajectory.angle_radians)[frame], np.sin(trajectory.angle_radians)[frame]
    x, y = dx[frame, column_index], dy[frame, row_index]
    points = np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1) / radius[:, None]  # (M, 2), in the shape's frame
    cover, head_share = np.zeros(near.shape), np.zeros(near.shape)
    cover[near] = np.clip(0.5 - radius * distance_to_polygon(points, corners=corners), 0, 1)
    head_share[near] = np.clip(0.5 + radius * (points[:, 0] - HEAD_FROM), 0, 1)
    return cover, head_share


def distance_to_polygon(points: FloatArray, *, corners: FloatArray) -> FloatArray:
    """Distance of points to the border of a polygon, negative inside.

    Args:
        points: (M, 2).
        corners: (P, 2), in order; the last joins the first.

    Returns:
        (M,), in the unit of the points.
    """
    squared = np.full(len(points), np.inf)
    inside = np.zeros(len(points), dtype=bool)
    x, y = points[:, 0], points[:, 1]
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        edge_x, edge_y = x1 - x0, y1 - y0
        along = ((x - x0) * edge_x + (y - y0) * edge_y) / (edge_x**2 + edge_y**2)
        along = np.clip(along, 0, 1)
        squared = np.minimum(squared, (x - x0 - along * edge_x) ** 2 + (y - y0 - along * edge_y) ** 2)
        if edge_y != 0:  # a ray to the right crosses this edge: even-odd rule
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * edge_x / edge_y)
    return np.where(inside, -1.0, 1.0) * np.sqrt(squared)


def _object_colours(rng: np.random.Generator, *, background_brightness: float) -> tuple[FloatArray, FloatArray]:
    """Draw the colours (3,) of body and head: opposite hues, both well apart from the background."""
    hue = rng.uniform(0, 2 * np.pi)
    tint = 45 * np.cos(hue + np.array([0.0, 2.1, 4.2]))
    if background_brightness < 128:
        body, head = 235.0, 200.0
    else:
        body, head = 20.0, 55.0
    return np.clip(body + tint, 0, 255), np.clip(head - tint, 0, 255)

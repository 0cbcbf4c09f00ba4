"""Video files for tests: the made ones, and under the marker real_data the ones that users have met.

`case` gives a test either kind: `@pytest.mark.parametrize("case", both("h265.mp4"), indirect=True)` runs it on the made
file and on the real one. `get_case` does so for a test that needs several files at once, `case_folder` for a folder.
tests/data/decoding/test_odd_videos.py shows what is odd about each.
"""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from odd_videos import FFMPEG_MADE, MADE
from real_data import real_cases, real_file

COUNTERPARTS = {  # made file -> the real one, where their names differ
    "plain.mp4": "kinetics_arm_wrestling.mp4",
    "plain.mkv": "kinetics_flipping_pancake.mkv",
    "long_gop.mp4": "scene_250.mp4",
    "mpeg4.avi": "ucf101_biking.avi",
}
BROKEN = ("corrupted.mp4", "empty.webm")
DECORD_SAFE = ("plain.mp4", "plain.mkv", "long_gop.mp4", "short_32.mp4")
REAL_DECORD_SAFE = tuple(COUNTERPARTS.get(name, name) for name in DECORD_SAFE)
REAL = (
    *("-one_pixel.mp4", "animated.gif", "av1.mkv", "h264_10bit.mp4", "h265.mp4", "rotated_180.mov", "rotated_90.mov"),
    *("stream_copied_trim.mp4", "ucf101_biking.avi", "vp8.webm", *REAL_DECORD_SAFE, *BROKEN),
)
READABLE = frozenset(name for name, recipe in MADE.items() if recipe.num_frames is not None)
REAL_READABLE = frozenset(REAL).difference(BROKEN)


@dataclass(frozen=True)
class Case:
    """A video file, and what is known of it without our code; degrees are counter-clockwise, as ffmpeg counts.

    `num_frames` is None where the file can't be read; then the other facts say nothing.
    """

    path: Path
    codec: str
    num_frames: int | None
    width: int
    height: int
    rotation_degrees: int

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def clockwise_degrees(self) -> int:
        return -self.rotation_degrees

    @property
    def shown_size(self) -> tuple[int, int]:
        """(width, height) as displayed."""
        turned = self.rotation_degrees % 180 != 0
        return (self.height, self.width) if turned else (self.width, self.height)


def made(name: str, *values: Any) -> Any:
    """A parameter for `case`, and more values: the made file of this name."""
    assert name in MADE
    return pytest.param(("made", name), *values, id="-".join(["made", name, *map(str, values)]))


def real(name: str, *values: Any) -> Any:
    """A parameter for `case`, and more values: the real file of this name, or the counterpart, under real_data."""
    name = COUNTERPARTS.get(name, name)
    assert name in REAL
    parameter_id = "-".join(["real", name, *map(str, values)])
    return pytest.param(("real", name), *values, marks=pytest.mark.real_data, id=parameter_id)


def both(name: str, *values: Any) -> list[Any]:
    """Two parameters for `case`, with the same further values: the made file and the real one."""
    return [made(name, *values), real(name, *values)]


def each(made_names: Iterable[str], real_names: Iterable[str] | None = None) -> list[Any]:
    """Parameters for `case`: these made files and these real ones; None = the counterparts of the made ones."""
    made_names = sorted(made_names)
    return [*map(made, made_names), *map(real, made_names if real_names is None else sorted(real_names))]


def real_case(name: str) -> Case:
    """The real file of this name, or the counterpart of the made one, with what cases.csv says of it."""
    name = COUNTERPARTS.get(name, name)
    row = real_cases()[name]
    numbers = [int(row[key] or 0) for key in ("coded_width", "coded_height", "rotation_degrees")]
    num_frames = int(row["num_frames"]) if row["num_frames"] else None
    return Case(real_file("data", "decoder_cases", name), row["codec"], num_frames, *numbers)


@pytest.fixture(scope="session")
def made_case(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    """A function: name -> the made file, made once a session in a folder of its own."""
    cases: dict[str, Case] = {}

    def get(name: str) -> Case:
        if name in FFMPEG_MADE and shutil.which("ffmpeg") is None:
            pytest.skip(f"{name} is made by the command ffmpeg, which is not installed here")
        if name not in cases:
            recipe, path = MADE[name], tmp_path_factory.mktemp("odd") / name
            recipe.make(path)
            cases[name] = Case(path, recipe.codec, recipe.num_frames, *recipe.size, recipe.rotation_degrees)
        return cases[name]

    return get


@pytest.fixture
def case(request: pytest.FixtureRequest, made_case: Callable[[str], Case]) -> Case:
    """The case that the test's parameter names."""
    kind, name = request.param
    return made_case(name) if kind == "made" else real_case(name)


@pytest.fixture(params=["made", pytest.param("real", marks=pytest.mark.real_data)])
def get_case(request: pytest.FixtureRequest, made_case: Callable[[str], Case]) -> Callable[[str], Case]:
    """A function: name -> the made file; and in a second run, under real_data, the real one."""
    return made_case if request.param == "made" else real_case


@pytest.fixture(scope="session", params=["made", pytest.param("real", marks=pytest.mark.real_data)])
def case_folder(
    request: pytest.FixtureRequest, made_case: Callable[[str], Case], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with all made files that need no ffmpeg; or the one of the real files."""
    if request.param == "real":
        return real_file("data", "decoder_cases")
    folder = tmp_path_factory.mktemp("cases")
    for name in MADE:
        if name not in FFMPEG_MADE:
            shutil.copy(made_case(name).path, folder)
    return folder

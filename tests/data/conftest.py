"""Tiny real videos whose every pixel says which frame it is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import CroppedClip
from stvit_video.utils.optional import load_optional

WriteVideo = Callable[..., Path]

DARKEST, GREY_STEP = 16, 8  # of frame 0; from one frame to the next


@pytest.fixture
def shown_numbers() -> Callable[[torch.Tensor], list[float]]:
    """A function: greys (n,) in 0..255 of frames that `write_video` wrote -> which frame each is."""
    return lambda greys: ((greys - DARKEST) / GREY_STEP).tolist()


@pytest.fixture
def finished() -> Callable[[CroppedClip, Preprocessing], torch.Tensor]:
    """A function: what a loader's transform made -> the clip (3, T, H, W) float32 that the model sees."""

    def finish(cropped: CroppedClip, preprocessing: Preprocessing) -> torch.Tensor:
        return DeviceTransform(preprocessing)(cropped.clip[None], [cropped.draw])[0]

    return finish


@pytest.fixture
def frame_numbers(shown_numbers: Callable[[torch.Tensor], list[float]]) -> Callable[[torch.Tensor], list[int]]:
    """A function: clip (C, T, H, W) uint8 of frames that `write_video` wrote -> which frame each is."""

    def numbers(clip: torch.Tensor) -> list[int]:
        assert clip.dtype == torch.uint8
        return [round(number) for number in shown_numbers(clip.double().mean(dim=(0, 2, 3)))]

    return numbers


@pytest.fixture
def write_video(tmp_path: Path) -> WriteVideo:
    """A function that writes an .mp4 of plain grey frames, frame i a little lighter than frame i - 1."""

    def write(name: str, *, num_frames: int = 11, height: int = 48, width: int = 64, fps: int = 10) -> Path:
        av = load_optional("av", needed_for="the tests", install="pip install av")
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=fps, options={"crf": "1", "preset": "ultrafast"})
            stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
            for number in range(num_frames):
                pixels = np.full((height, width, 3), DARKEST + GREY_STEP * number, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture
def small_manifest(write_video: WriteVideo) -> Manifest:
    """Five readable videos of two classes, with different sizes and lengths."""
    sizes = [(11, 48, 64), (7, 64, 48), (5, 48, 48), (13, 50, 70), (9, 48, 90)]
    records = []
    for number, (num_frames, height, width) in enumerate(sizes):
        path = write_video(f"v{number}.mp4", num_frames=num_frames, height=height, width=width)
        records.append(VideoRecord(path, number % 2, path.name))
    return Manifest(tuple(records), ("fall", "rise"))


@pytest.fixture
def broken_record(tmp_path: Path) -> VideoRecord:
    """A listed file that is no video."""
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"this is no video" * 50)
    return VideoRecord(path, 0, path.name)

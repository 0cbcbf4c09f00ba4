"""The embedded data set: drawn clips of motion, written once as real .mp4 files and read like any other set.

    root/dataset.json                      settings; written last, so a folder without it is unfinished
    root/train.csv  root/val.csv           path,label; paths are relative to root
    root/train/<class>/train_00000.mp4     h264, yuv420p, a key frame every 12 frames
    root/val/<class>/val_00000.mp4

What the clips show stands in `stvit_video.data.synthetic.drawing`.
"""

import contextlib
import csv
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stvit_video.data.synthetic.drawing import CLASSES, DrawnClip, draw_known_clip
from stvit_video.utils.atomic_files import atomically, sync_all, write_text
from stvit_video.utils.optional import load_optional

FORMAT_VERSION = 1  # raise it whenever the same settings would give other clips: old folders are then made anew
SPLITS = ("train", "val")
DONE, BUILDING = "dataset.json", "building.json"
_PARTIAL = ".partial"


@dataclass(frozen=True)
class _Settings:
    num_train: int
    num_val: int
    image_size: tuple[int, int]
    num_frames: int
    fps: int
    seed: int

    @classmethod
    def of_folder(cls, root: Path) -> "_Settings":
        """Those of a data set that is there.

        Raises:
            ValueError: there is none, or one of another version.
        """
        text = _read(root / DONE)
        if text is None:
            raise ValueError(f"{root} has no {DONE}; give the folder of an embedded data set, such as data/synthetic")
        stored = json.loads(text)
        height, width = stored["image_size"]
        settings = cls(**{**{field.name: stored[field.name] for field in fields(cls)}, "image_size": (height, width)})
        if settings.to_json() != text:
            raise ValueError(f"{root / DONE} is of another version of the embedded data set; make the set anew")
        return settings

    def to_json(self) -> str:
        """Text that is equal for two data sets exactly when their clips are."""
        return json.dumps({"format": FORMAT_VERSION, "classes": CLASSES, **asdict(self)}, indent=2) + "\n"


@dataclass(frozen=True)
class _Clip:
    split: str
    index: int

    @property
    def class_name(self) -> str:
        return CLASSES[self.index % len(CLASSES)]

    @property
    def path(self) -> str:
        return f"{self.split}/{self.class_name}/{self.split}_{self.index:05d}.mp4"

    def draw(self, settings: _Settings) -> DrawnClip:
        """What the file shows."""
        rng = np.random.default_rng([settings.seed, SPLITS.index(self.split), self.index])
        height, width = settings.image_size
        return draw_known_clip(self.class_name, rng=rng, num_frames=settings.num_frames, height=height, width=width)


@dataclass(frozen=True, eq=False)
class KnownClip:
    """A file of the data set, and what it shows.

    Attributes:
        path: of the video.
        class_name: one of `CLASSES`.
        fps: its frames per second.
        drawn: its frames before they were encoded, and where the object is.
    """

    path: Path
    class_name: str
    fps: int
    drawn: DrawnClip


def write_synthetic_dataset(
    root: str | Path,
    *,
    num_train: int = 1440,
    num_val: int = 360,
    image_size: tuple[int, int] = (64, 64),
    num_frames: int = 16,
    fps: int = 12,
    seed: int = 0,
    num_workers: int = 2,
) -> Path:
    """Make the embedded data set below `root`, unless it is there already.

    A set that is there with the same settings is left as it is (milliseconds). One that was interrupted is
    finished: clips appear under their name only when they are whole. One with other settings is replaced. A
    folder that holds anything else is refused. Each clip depends on (seed, split, index) only: `num_workers`
    changes nothing but the time, and a larger set begins with the clips of a smaller one.

    Args:
        root: folder of the data set; made if it is missing.
        num_train, num_val: clips in each split; classes take turns, so they differ by one clip at most.
        image_size: (height, width) in pixels; even (yuv420p halves the colour planes), 32 at least.
        num_frames: frames a clip, 2 at least.
        fps: frames per second written into the files.
        seed: 0 or more; two seeds share no clip.
        num_workers: threads that draw and encode.

    Returns:
        `root` as a Path.

    Raises:
        ValueError: a setting is out of range, or `root` holds something that is not this data set.
        MissingLibraryError: PyAV is not installed and clips have to be written.
    """
    settings = _Settings(num_train, num_val, (image_size[0], image_size[1]), num_frames, fps, seed)
    _check(settings, num_workers=num_workers)
    root = Path(root)
    clips = [_Clip("train", i) for i in range(num_train)] + [_Clip("val", i) for i in range(num_val)]
    if _is_complete(root, settings, clips):
        return root
    refuse_foreign_folder(root)
    root.mkdir(parents=True, exist_ok=True)
    with locked(root):
        if not _is_complete(root, settings, clips):  # another process may have made it while this one waited
            _start(root, settings)
            _write_clips(root, settings, clips, num_workers=num_workers)
            _finish(root, settings, clips)
    return root


def known_clips(root: str | Path, *, split: str, rng: np.random.Generator) -> Iterator[KnownClip]:
    """The clips of a data set that is there, in random order, each drawn again as it is asked for.

    Args:
        root: folder of the data set.
        split: "train" or "val".
        rng: source of the order.

    Raises:
        ValueError: `root` holds no embedded data set, or one of another version.
    """
    root = Path(root)
    settings = _Settings.of_folder(root)
    for index in rng.permutation({"train": settings.num_train, "val": settings.num_val}[split]).tolist():
        clip = _Clip(split, index)
        yield KnownClip(root / clip.path, clip.class_name, settings.fps, clip.draw(settings))


def encode_video(path: str | Path, frames: NDArray[np.uint8], *, fps: int) -> None:
    """Write frames as an h264 .mp4 file; the same frames give the same bytes.

    Without B-frames, so that the first timestamp is 0 and packets stand in the order in which they are shown.

    Args:
        path: the file to write; its folder exists.
        frames: (T, H, W, 3) uint8, RGB, H and W even.
        fps: frames per second.

    Raises:
        MissingLibraryError: PyAV is not installed.
    """
    av = load_optional("av", needed_for="writing the embedded data set", install="pip install av")
    options = {"crf": "20", "preset": "veryfast", "g": "12", "bf": "0", "threads": "1"}
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
        for frame in frames:
            # Converted here: the conversion inside encode() gave other bytes now and then, in threads.
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuv420p")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def _check(settings: _Settings, *, num_workers: int) -> None:
    height, width = settings.image_size
    if height % 2 or width % 2 or min(height, width) < 32:
        raise ValueError(f"image_size is {settings.image_size}; height and width must be even and 32 at least")
    smallest = {"num_train": 1, "num_val": 1, "num_frames": 2, "fps": 1, "seed": 0}
    given = {**{name: getattr(settings, name) for name in smallest}, "num_workers": num_workers}
    for name, limit in {**smallest, "num_workers": 1}.items():
        if given[name] < limit:
            raise ValueError(f"{name} is {given[name]}; it must be {limit} or more")


def _is_complete(root: Path, settings: _Settings, clips: list[_Clip]) -> bool:
    if _read(root / DONE) != settings.to_json():
        return False
    files = [clip.path for clip in clips] + [f"{split}.csv" for split in SPLITS]
    return all((root / file).is_file() for file in files)


def refuse_foreign_folder(root: Path) -> None:
    """A rebuild removes files, so it only ever happens in a folder that this module has made."""
    if root.exists() and not root.is_dir():
        raise ValueError(f"{root} is a file; the embedded data set needs a folder of its own")
    if not root.is_dir() or (root / DONE).is_file() or (root / BUILDING).is_file():
        return
    others = sorted(entry.name for entry in root.iterdir() if entry.name != ".lock")
    if others:
        raise ValueError(
            f"{root} holds {', '.join(others[:3])} but neither {DONE} nor {BUILDING}, so it is not an "
            "embedded data set; give another folder or empty this one"
        )


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Let one process at a time build here; without file locks, two would write the same bytes twice."""
    with (root / ".lock").open("w") as file:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed, also by a kill
        yield


def _start(root: Path, settings: _Settings) -> None:
    """Mark the folder as being built, and clear away a set with other settings."""
    same = settings.to_json() in (_read(root / DONE), _read(root / BUILDING))
    write_text(root / BUILDING, settings.to_json())
    (root / DONE).unlink(missing_ok=True)
    for folder in (_PARTIAL,) if same else (_PARTIAL, *SPLITS):
        shutil.rmtree(root / folder, ignore_errors=True)
    (root / _PARTIAL).mkdir()
    for split in SPLITS:
        for class_name in CLASSES:
            (root / split / class_name).mkdir(parents=True, exist_ok=True)


def _write_clips(root: Path, settings: _Settings, clips: list[_Clip], *, num_workers: int) -> None:
    missing = [clip for clip in clips if not (root / clip.path).is_file()]
    # Threads will do: the transforms and the encoder run outside the interpreter's lock (5 ms a clip).
    # Spawned processes would import the caller's main module, and torch with it, once more each.
    with (
        ThreadPoolExecutor(num_workers) as pool,
        tqdm(
            total=len(missing), desc=f"embedded data set in {root}", unit="clip", mininterval=0.5, disable=None
        ) as bar,
    ):
        jobs = [pool.submit(_write_clip, root, settings, clip) for clip in missing]
        try:
            for job in as_completed(jobs):
                job.result()
                bar.update()
        except BaseException:  # also Ctrl-C: leave now, not after a thousand more clips
            pool.shutdown(cancel_futures=True)
            raise


def _write_clip(root: Path, settings: _Settings, clip: _Clip) -> None:
    partial = root / _PARTIAL / f"{clip.split}_{clip.index:05d}_{os.getpid()}.mp4"
    with atomically(root / clip.path, part=partial, sync=False) as part:  # 1,800 syncs would take longer than the clips
        encode_video(part, clip.draw(settings).frames, fps=settings.fps)


def _finish(root: Path, settings: _Settings, clips: list[_Clip]) -> None:
    for split in SPLITS:
        with (root / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "label"])
            writer.writerows((clip.path, clip.class_name) for clip in clips if clip.split == split)
    shutil.rmtree(root / _PARTIAL)
    sync_all()
    write_text(root / DONE, settings.to_json())
    (root / BUILDING).unlink()


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None

"""Train on damaged videos: no crash, no hang, and every unreadable one stands in skipped.csv.

python scripts/fuzz_training.py FOLDER count=1000 seed=0 [num_workers=2] [work_dir=EMPTY_FOLDER]

FOLDER holds the sound videos; the damaged ones are those of scripts/fuzz_decoder.py. A tiny model is trained on all of
them, sound and damaged, for one epoch by `python -m stvit_video.train`; then each file is read once more, without the
trainer, to see whether skipped.csv tells the truth. Ends with status 1 where it does not, or where the training failed.
"""

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fuzz_decoder import mutated, try_reading

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.value_kinds import PATH, whole

BATCH_SIZE = 4
SECONDS_A_FILE = 2.0  # on average, over all processes; above that the training counts as hanging
START_SECONDS = 120.0
SETTINGS = (
    *("data=csv", "data.num_frames=4", "data.frame_stride=2", "data.short_side=20", "data.crop_size=16"),
    *(f"data.batch_size={BATCH_SIZE}", "data.max_skipped_fraction=1.0", "optim.warmup_epochs=0"),
    *("model=stvit_video_deit_tiny", "model.patch_size=4", "model.embed_dim=8", "model.num_heads=2"),
    *("model.depth=4", "model.generate_at=1", "model.num_tokens=4", "protocol.num_clips=1", "protocol.num_crops=1"),
    *("trainer.max_epochs=1", "trainer.accelerator=cpu", "trainer.enable_progress_bar=false"),
)

COMMAND = Command(
    prog="python scripts/fuzz_training.py",
    summary="Trains on damaged videos: no crash, no hang, and every unreadable one stands in skipped.csv.",
    positional=Positional(name="folder", sign="FOLDER", help="folder with sound videos"),
    settings=(
        Setting(name="count", kind=whole(low=0), help="damaged files to make and train on", default=1000),
        Setting(name="seed", kind=whole(), help="chooses the series of damaged files", default=0),
        Setting(name="num_workers", kind=whole(low=0), help="loader processes", default=2),
        Setting(
            name="work_dir",
            kind=PATH,
            help="folder for files and run, which stays",
            default_words="a temporary one",
        ),
    ),
    examples=(
        "python scripts/fuzz_training.py decoder_cases",
        "python scripts/fuzz_training.py decoder_cases count=40 seed=1 work_dir=fuzz",
    ),
)


class Ended(NamedTuple):
    """How the training ended: its status (None = it was stopped because it took too long), words and seconds."""

    status: int | None
    words: str
    seconds: float


def sound_videos(folder: Path) -> list[Path]:
    """The files of the folder that can be read, sorted."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".csv")
    return [path for path in files if try_reading(path, backend="auto", time_limit_seconds=10).kind == "read"]


def write_damaged(files: Sequence[Path], folder: Path, *, count: int, seed: int) -> list[Path]:
    """Write the series with this seed, and give its files back."""
    damaged = []
    for number in range(count):
        name, data = mutated(files, number=number, seed=seed)
        damaged.append(folder / name)
        damaged[-1].write_bytes(data)
    return damaged


def write_list(path: Path, videos: Sequence[Path]) -> Path:
    """A manifest of the videos, in two classes by turns."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = [(video.absolute(), number % 2) for number, video in enumerate(videos)]
        csv.writer(file).writerows([("path", "label"), *rows])
    return path


def train(train_list: Path, val_list: Path, run_dir: Path, *, num_workers: int, limit_seconds: float) -> Ended:
    """One epoch in a process of its own, which is ended at the time limit."""
    places = [f"data.train='{train_list}'", f"data.val='{val_list}'", f"hydra.run.dir='{run_dir}'"]
    command = [sys.executable, "-m", "stvit_video.train", *SETTINGS, *places, f"data.num_workers={num_workers}"]
    start = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        return Ended(None, f"it took more than {limit_seconds:.0f} s", time.monotonic() - start)
    return Ended(done.returncode, done.stderr[-2000:], time.monotonic() - start)


def can_be_opened(path: Path) -> bool:
    """Whether a reader of its own, without the trainer, opens the file."""
    try:
        open_video(path).close()
    except DecodeError:
        return False
    return True


def skipped_times(run_dir: Path) -> dict[str, int]:
    """Path -> how often it was asked for in vain, of skipped.csv."""
    path = run_dir / "skipped.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["path"]: int(row["times"]) for row in csv.DictReader(file)}


def faults(sound: Sequence[Path], damaged: Sequence[Path], run_dir: Path) -> list[str]:
    """What skipped.csv says wrongly, in words."""
    skipped = skipped_times(run_dir)
    counted = json.loads((run_dir / "result.json").read_text(encoding="utf-8"))["training"]["num_skipped"]
    found = [f"{path} is sound and was skipped" for path in sound if str(path.absolute()) in skipped]
    silent = [path for path in damaged if str(path.absolute()) not in skipped and not can_be_opened(path)]
    found += [f"{path} can't be opened and was not counted" for path in silent]
    if counted != sum(skipped.values()):
        found.append(f"{counted} skipped by the count of the training, {sum(skipped.values())} by skipped.csv")
    return found


def run(sound: Sequence[Path], work_dir: Path, options: Given) -> bool:
    """Make the files, train, and print what came of it; True = all is well."""
    videos = work_dir / "videos"
    videos.mkdir(parents=True)
    files = [path for path in options.folder.iterdir() if path.is_file() and path.suffix != ".csv"]
    damaged = write_damaged(files, videos, count=options.count, seed=options.seed)
    total = (len(sound) + len(damaged)) // BATCH_SIZE * BATCH_SIZE  # whole batches, so that no file is left out
    listed = [*damaged, *sound][:total]
    train_list, val_list = write_list(work_dir / "train.csv", listed), write_list(work_dir / "val.csv", sound)
    run_dir, limit = work_dir / "run", START_SECONDS + SECONDS_A_FILE * total
    ended = train(train_list, val_list, run_dir, num_workers=options.num_workers, limit_seconds=limit)
    if ended.status != 0:
        print(f"FAULT: the training {'hung' if ended.status is None else f'ended with status {ended.status}'}")
        print(ended.words)
        return False
    wrong = faults(listed[len(damaged) :], damaged, run_dir)
    for words in wrong:
        print(f"FAULT: {words}")
    num_skipped = len(skipped_times(run_dir))
    print(
        f"{total} files (seed {options.seed}; {len(damaged)} damaged, {total - len(damaged)} sound): "
        f"{total - num_skipped} read, {num_skipped} refused and listed in skipped.csv, {len(wrong)} FAULT; "
        f"{ended.seconds:.0f} s with {options.num_workers} workers"
    )
    return not wrong


def fuzz(options: Given) -> int:
    """Damage, train, compare and report; 1 = there is a fault, else 0.

    Raises:
        ValueError: a folder without enough sound videos.
        OSError: a folder that can't be read or written.
    """
    sound = sound_videos(options.folder)
    if len(sound) < BATCH_SIZE:
        raise ValueError(f"{options.folder} holds {len(sound)} sound videos; give a folder with {BATCH_SIZE} or more")
    with tempfile.TemporaryDirectory() as temporary:
        return 0 if run(sound, options.work_dir or Path(temporary), options) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; gives the exit status."""
    return COMMAND.run(fuzz, arguments)


if __name__ == "__main__":
    sys.exit(main())

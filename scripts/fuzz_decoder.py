"""Damage videos at random and read them: each must give frames or a DecodeError, in time.

python scripts/fuzz_decoder.py FOLDER count=1000 seed=0 [time_limit_seconds=5] [keep=BAD_FOLDER]

FOLDER holds the sound videos. The same seed makes the same damaged files. Ends with status 1 where a reading raised
anything else than DecodeError or took more than two seconds over the limit; such files are kept with keep=FOLDER.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from stvit_video.data.decoding.request import DecodeError, DecodeTimeoutError
from stvit_video.data.decoding.video import BACKENDS, open_video
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.value_kinds import PATH, number, one_of, whole

NUM_FRAMES_READ = 8
MARGIN_SECONDS = 2.0  # over the time limit, for killing a hung process
COMMAND = Command(
    prog="python scripts/fuzz_decoder.py",
    summary="Damages videos at random and reads them: each must give frames or a DecodeError, in time.",
    positional=Positional(name="folder", sign="FOLDER", help="folder with sound videos"),
    settings=(
        Setting(name="count", kind=whole(low=0), help="damaged files to make and read", default=1000),
        Setting(name="seed", kind=whole(), help="chooses the series of damaged files", default=0),
        Setting(name="backend", kind=one_of(BACKENDS), help="decoder", default="auto"),
        Setting(name="time_limit_seconds", kind=number(low=0), help="for one call", default=5.0),
        Setting(name="keep", kind=PATH, help="folder for the files that uncover a fault"),
    ),
    examples=(
        "python scripts/fuzz_decoder.py decoder_cases",
        "python scripts/fuzz_decoder.py decoder_cases count=100 seed=1 keep=bad",
    ),
)


class Outcome(NamedTuple):
    """What became of one file: "read", "refused", "timed out" or "FAULT", why, and the longest call in seconds."""

    kind: str
    reason: str
    slowest_seconds: float


def flip_bits(data: bytearray, donor: bytes, chance: random.Random) -> bytearray:
    """1 to 64 single bits, anywhere."""
    return _flipped(data, len(data), chance)


def flip_header_bits(data: bytearray, donor: bytes, chance: random.Random) -> bytearray:
    """1 to 64 single bits in the first 2,048 or last 2,048 bytes, where containers keep their tables."""
    if chance.random() < 0.5:
        return _flipped(data, min(len(data), 2048), chance)
    tail = _flipped(data[-2048:], min(len(data), 2048), chance)
    return data[: max(len(data) - 2048, 0)] + tail


def truncate(data: bytearray, donor: bytes, chance: random.Random) -> bytearray:
    """Only the first part of the file, perhaps nothing."""
    return data[: chance.randrange(len(data))]


def swap_header(data: bytearray, donor: bytes, chance: random.Random) -> bytearray:
    """The first 8 to 4,096 bytes of another file in place of this one's."""
    length = chance.choice((8, 32, 256, 1024, 4096))
    return bytearray(donor[:length]) + data[length:]


def zero_bytes(data: bytearray, donor: bytes, chance: random.Random) -> bytearray:
    """A run of zeros, up to a quarter of the file."""
    first, length = chance.randrange(len(data)), chance.randint(1, max(1, len(data) // 4))
    run = len(data[first : first + length])
    return data[:first] + bytearray(run) + data[first + run :]


def cut_out(data: bytearray, donor: bytes, chance: random.Random) -> bytearray:
    """A run of up to 4,096 bytes left out, so that everything behind it is misplaced."""
    first = chance.randrange(len(data))
    return data[:first] + data[first + chance.randint(1, 4096) :]


MUTATIONS: tuple[Callable[[bytearray, bytes, random.Random], bytearray], ...] = (
    flip_bits,
    flip_header_bits,
    truncate,
    swap_header,
    zero_bytes,
    cut_out,
)


def mutated(sound: Sequence[Path], *, number: int, seed: int) -> tuple[str, bytes]:
    """Damaged file `number` of the series with this seed.

    Args:
        sound: the files to start from; empty ones are left out.

    Returns:
        A name that says what was done to which file, and the bytes.
    """
    chance = random.Random(f"{seed}/{number}")
    paths = sorted(path for path in sound if path.stat().st_size)
    path, donor, mutation = chance.choice(paths), chance.choice(paths), chance.choice(MUTATIONS)
    data = mutation(bytearray(path.read_bytes()), donor.read_bytes(), chance)
    return f"{number:05d}_{mutation.__name__}_{path.stem.lstrip('-')}{path.suffix}", bytes(data)


def try_reading(path: Path, *, backend: str, time_limit_seconds: float) -> Outcome:
    """Open the file and read a few frames of it, and judge what comes of it."""
    started = time.monotonic()
    slowest, kind, reason = 0.0, "read", ""
    try:
        with open_video(path, backend=backend, time_limit_seconds=time_limit_seconds) as video:
            slowest, started = time.monotonic() - started, time.monotonic()
            step = max(1, video.num_frames // NUM_FRAMES_READ)
            video.read(range(0, video.num_frames, step)[:NUM_FRAMES_READ])
    except DecodeTimeoutError as error:
        kind, reason = "timed out", str(error)
    except DecodeError as error:
        kind, reason = "refused", str(error)
    except Exception as error:  # a fault of ours, to be shown
        kind, reason = "FAULT", f"{type(error).__name__}: {error}"
    slowest = max(slowest, time.monotonic() - started)
    if slowest > time_limit_seconds + MARGIN_SECONDS:
        kind, reason = "FAULT", f"took {slowest:.1f} s with a limit of {time_limit_seconds:g} s; {reason}"
    if kind in ("refused", "timed out") and path.name not in reason:
        kind, reason = "FAULT", f"the error does not name the file: {reason}"
    return Outcome(kind, reason, slowest)


def _flipped(data: bytearray, length: int, chance: random.Random) -> bytearray:
    out = bytearray(data)
    for _ in range(chance.randint(1, 64)):
        out[chance.randrange(length)] ^= 1 << chance.randrange(8)
    return out


def fuzz(options: Given) -> int:
    """Damage, read, count and report; 1 = there is a fault, else 0.

    Raises:
        ValueError: a folder without videos.
        OSError: a folder that can't be read, or `keep` can't be written.
    """
    sound = [path for path in options.folder.iterdir() if path.is_file() and path.suffix != ".csv"]
    if not any(path.stat().st_size for path in sound):
        raise ValueError(f"{options.folder} holds no video; give a folder with sound videos")
    return 1 if run(sound, options)["FAULT"] else 0


def run(sound: Sequence[Path], options: Given) -> Counter[str]:
    """Make and read the series; print a line for each fault and the counts; return the counts."""
    counts: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.count):
            name, data = mutated(sound, number=number, seed=options.seed)
            path = Path(folder) / name
            path.write_bytes(data)
            outcome = try_reading(path, backend=options.backend, time_limit_seconds=options.time_limit_seconds)
            counts[outcome.kind] += 1
            slowest = max(slowest, outcome.slowest_seconds)
            if outcome.kind == "FAULT":
                print(f"FAULT {name}: {outcome.reason}", flush=True)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / name).write_bytes(data)
            path.unlink()
    listed = ", ".join(f"{counts[kind]} {kind}" for kind in ("read", "refused", "timed out", "FAULT"))
    print(f"{options.count} damaged files (seed {options.seed}): {listed}; slowest call {slowest:.1f} s")
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; gives the exit status."""
    return COMMAND.run(fuzz, arguments)


if __name__ == "__main__":
    sys.exit(main())

"""The results of a search: what the checkpoint is to hold, the files, and the lines to run."""

from pathlib import Path

from stvit_video.budgets.front_report import save_front_plot, write_front, write_tried
from stvit_video.budgets.looking import Looker
from stvit_video.budgets.search import Found
from stvit_video.inference.run_settings import RunSettings
from stvit_video.inference.stored_front import StoredFront
from stvit_video.utils.atomic_files import write_table
from stvit_video.utils.figures import draw_or_warn
from stvit_video.utils.provenance import provenance

FRONT, TRIED, HALVES, PLOT = "budget.csv", "tried.csv", "halves.csv", "budget.png"


def front_to_store(looker: Looker, found: Found, *, videos: str, seed: int) -> StoredFront:
    """What a search has found, with where and how.

    Args:
        looker: looked at the videos.
        found: what it has found.
        videos: where they came from, in words.
        seed: of their halves.
    """
    trained = looker.trained
    origin = provenance(trained.device)
    return StoredFront(
        points=found.points,
        metric=looker.judge.metric,
        protocol=trained.protocol.name,
        average=trained.protocol.average,
        num_choosing=len(looker.labels_of(found.choosing)),
        num_reporting=len(looker.labels_of(found.reporting)),
        videos=videos,
        seed=seed,
        hardware=origin["hardware"],
        commit=origin["commit"],
        date=origin["date"],
    )


def write_results(front: StoredFront, looker: Looker, found: Found, folder: Path) -> list[str]:
    """Write the front, every setting that was tried, the halves of the videos, and the picture.

    Returns:
        The names of the files.

    Raises:
        OSError: a file can't be written; a picture that can't be drawn is a warning.
    """
    write_front(front, folder / FRONT)
    write_tried(
        folder / TRIED,
        settings=looker.settings,
        costs=looker.journal.costs,
        rounds=found.rounds,
        lost=looker.journal.lost,
        metric=front.metric,
    )
    halves = dict.fromkeys(found.choosing, "choosing") | dict.fromkeys(found.reporting, "reporting")
    records, errors = looker.manifest.records, looker.journal.errors
    write_table(
        folder / HALVES,
        header=("video", "half", "error"),
        rows=[(records[video].video_id, half, errors.get(video)) for video, half in sorted(halves.items())],
    )
    names = [FRONT, TRIED, HALVES]
    drawn = draw_or_warn(folder / PLOT, lambda: save_front_plot(front, folder / PLOT))
    return [*names, PLOT] if drawn else names


def lines_to_run(
    ckpt_path: Path, settings: RunSettings, *, own: RunSettings, protocol: str | None, average: str | None
) -> list[str]:
    """The commands that run a checkpoint with settings.

    Args:
        ckpt_path: the checkpoint.
        settings: the chosen ones.
        own: those of the checkpoint, which need not be said; None of them counts under another protocol.
        protocol: that the search was given; None = the checkpoint's.
        average: likewise.
    """
    shown = f"'{ckpt_path}'" if " " in str(ckpt_path) else str(ckpt_path)
    given = "".join(f" {name}={value}" for name, value in (("protocol", protocol), ("average", average)) if value)

    def line(command: str, prefix: str, rest: str) -> str:
        words = settings.words(own, model_prefix=prefix)
        return f"python -m stvit_video.{command} ckpt_path={shown}{given}{' ' * bool(words)}{words}{rest}"

    return [line("evaluate", "model.", ""), line("predict", "", " video.mp4")]

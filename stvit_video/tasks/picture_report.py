"""What the evaluations of detectors and segmenters have in common, from the shares of processes to result.json."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from stvit_video.data.loading.picture_reader import open_image
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.evaluation.distributed import gather_shares
from stvit_video.evaluation.picture_results import PictureResults, describe_missing
from stvit_video.evaluation.plots import save_curves
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.pages.confusion_part import Confusion
from stvit_video.tasks.run_report_page import draw_run_page
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.figures import draw_or_warn

__all__ = ["draw_curves", "finish_report", "gather_results", "picture_pixels_of", "require_some"]

NUM_REASONS = 3  # in an error


class Shared(Protocol):
    """Results of an evaluation that several processes add to."""

    def share(self) -> dict[str, Any]: ...

    def take_share(self, share: Mapping[str, Any]) -> None: ...


Results = TypeVar("Results", bound=Shared)


def gather_results(
    empty: Callable[[], Results], evaluate: Callable[[Results], object], *, folder: Path
) -> Results | None:
    """Evaluate by all processes, each its share, and bring the results together.

    Args:
        empty: makes results without a picture.
        evaluate: adds those of this process.
        folder: as of `gather_shares`.

    Returns:
        The whole; None in the other processes of several.

    Raises:
        ProcessFailedError: one of several processes failed or did not come.
    """

    def share() -> dict[str, Any]:
        own = empty()
        evaluate(own)
        return own.share()

    shares = gather_shares(share, folder=folder)
    if shares is None:
        return None
    results = empty()
    for one in shares:
        results.take_share(one)
    return results


def require_some(results: PictureResults) -> None:
    """Raise where there is nothing to score.

    Raises:
        NothingEvaluatedError: not one picture could be read.
    """
    if not results.num_used:
        reasons = "; ".join(list(results.errors.values())[:NUM_REASONS])
        raise NothingEvaluatedError(f"not one of {results.num_listed} pictures could be read, for example {reasons}")


def picture_pixels_of(record: VideoRecord) -> np.ndarray:
    """Pixels (H, W, 3) uint8 of a listed picture.

    Raises:
        DecodeError: it can't be read.
    """
    with open_image(record) as picture:
        return picture.read([0])[0]


def finish_report(
    folder: Path,
    summary: Mapping[str, Any],
    results: PictureResults,
    *,
    notes: Sequence[str],
    files: Sequence[str],
    confusion: Confusion | None = None,
) -> None:
    """Write result.json and report.html, and print the result line, notes, missing pictures and where the files are.

    Args:
        folder: of the files.
        summary: what result.json holds, with "result".
        results: of the evaluation.
        notes: sentences; empty and doubled ones are passed over.
        files: beside result.json, as far as they were written.
        confusion: for the page, see `write_run_page`.

    Raises:
        OSError: it can't be written.
    """
    write_text(folder / "result.json", json.dumps(summary, indent=2) + "\n")
    print(summary["result"], flush=True)
    for note in dict.fromkeys(note for note in notes if note):
        print(f"note: {note}", flush=True)
    if missing := describe_missing(results.errors, num_listed=results.num_listed):
        print(missing, flush=True)
    there = ["result.json", *(name for name in files if (folder / name).is_file())]
    *names, last = draw_run_page(folder, written=there, confusion=confusion)
    print(f"{', '.join(names)} and {last} are in {folder}")


def draw_curves(run_dir: Path) -> None:
    """Draw curves.png from the metrics.csv of a training, or warn."""
    curves = run_dir / "curves.png"
    draw_or_warn(curves, lambda: save_curves(run_dir / "metrics.csv", curves))

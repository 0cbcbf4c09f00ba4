"""`python -m stvit_video.sweep multirun/NAME`: what a sweep has shown, as report.csv, report.png and report.html.

It reads the folders that `-m` of stvit_video.train and of stvit_video.evaluate leaves, by our launcher or Hydra's.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from omegaconf import OmegaConf

from stvit_video.sweeps.jobs import JOBS_FILE, read_jobs
from stvit_video.sweeps.model_throughput import measure_again
from stvit_video.sweeps.report.cost_plot import save_plot
from stvit_video.sweeps.report.page import format_failures, format_page
from stvit_video.sweeps.report.points import CHANCE, Run, Unfinished, points_of, read_run
from stvit_video.sweeps.report.summary import SweepReport, format_rows, report_rows
from stvit_video.utils.atomic_files import DiskFullError, write_text
from stvit_video.utils.command_line import Command, Given, Positional, Setting, Switch
from stvit_video.utils.figures import draw_or_warn
from stvit_video.utils.value_kinds import PATH, WORDS

NUM_WARNINGS_SHOWN = 5


COMMAND = Command(
    prog="python -m stvit_video.sweep",
    summary="Table, plot and page of a sweep: accuracy against GMACs and clips/s, spread over seeds.",
    positional=Positional(name="folder", sign="FOLDER", help="of the sweep, such as multirun/NAME"),
    settings=(
        Setting(name="over", kind=WORDS, help="axes that count as chance", default=CHANCE),
        Setting(name="output", kind=PATH, help="folder for the files", default_words="the sweep's"),
    ),
    switches=(Switch("measure", "measure clips/s anew, one run after the other"),),
    examples=(
        "python -m stvit_video.sweep multirun/slot",
        "python -m stvit_video.sweep multirun/slot --measure output=report over=seed",
    ),
)


def read_sweep(folder: Path) -> tuple[list[Run], list[Unfinished]]:
    """The runs in a folder of a sweep, finished and not, in order.

    Raises:
        ValueError: it is no folder of a sweep.
        OSError: it can't be read.
    """
    runs: list[Run] = []
    unfinished: list[Unfinished] = []
    for name, overrides, state, reason in _listed(folder):
        try:
            if state != "done":
                raise ValueError(reason)
            runs.append(read_run(folder / name, overrides))
        except ValueError as error:
            unfinished.append(Unfinished(name, overrides, "no result" if state == "done" else state, str(error)))
    return runs, unfinished


def _listed(folder: Path) -> list[tuple[str, tuple[str, ...], str, str]]:
    """Folder, overrides, state and reason of each run: of the table of our launcher, or of Hydra's folders."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; give that of a sweep, such as multirun/NAME")
    if (folder / JOBS_FILE).is_file():
        jobs = read_jobs(folder / JOBS_FILE)
        return [(Path(job.run_dir).name, job.overrides, job.state, job.message) for job in jobs]
    places = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    places.sort(key=lambda path: (not path.name.isdecimal(), int(path.name) if path.name.isdecimal() else path.name))
    if not any((path / "result.json").is_file() or (path / ".hydra").is_dir() for path in places):
        raise ValueError(f"{folder} has neither {JOBS_FILE} nor folders of runs; give the folder of a sweep")
    return [(path.name, _hydras_overrides(path), "done", "") for path in places]


def _hydras_overrides(run_dir: Path) -> tuple[str, ...]:
    """What Hydra noted that the run was last started with; nothing where it noted nothing."""
    notes = sorted((run_dir / ".hydra").glob("**/overrides.yaml"))
    content: Any = OmegaConf.to_container(OmegaConf.load(notes[-1])) if notes else []
    return tuple(str(text) for text in content)


def write_report(report: SweepReport, folder: Path, output: Path) -> None:
    """Write report.csv, report.png and report.html; where the picture can't be drawn, that is a warning.

    Args:
        report: of the sweep.
        folder: of the sweep; runs that have a page in it are links to it.
        output: for the files, made where it is missing.

    Raises:
        OSError: a file can't be written.
    """
    with _naming(output):
        output.mkdir(parents=True, exist_ok=True)
        write_text(output / "report.csv", format_rows(report_rows(report)))
        picture = output / "report.png"
        is_drawn = draw_or_warn(picture, lambda: save_plot(report, picture))
        names = [*(run.name for run in report.runs), *(run.name for run in report.unfinished)]
        run_pages = _run_pages(folder, output, names)
        page = format_page(report, title=_title(folder), is_drawn=is_drawn, run_pages=run_pages)
        write_text(output / "report.html", page)


def write_failures(unfinished: Sequence[Unfinished], folder: Path, output: Path) -> None:
    """Write the report.html of a sweep without a result.

    Args:
        unfinished: its runs.
        folder: see `write_report`.
        output: likewise.

    Raises:
        OSError: it can't be written.
    """
    with _naming(output):
        output.mkdir(parents=True, exist_ok=True)
        run_pages = _run_pages(folder, output, [run.name for run in unfinished])
        write_text(output / "report.html", format_failures(unfinished, title=_title(folder), run_pages=run_pages))


def _title(folder: Path) -> str:
    return f"Sweep {folder.resolve().name}"


@contextmanager
def _naming(output: Path) -> Iterator[None]:
    """Errors name the folder, not the unfinished file in it that nobody knows."""
    try:
        yield
    except DiskFullError:
        raise
    except OSError as error:
        why = error.strerror or error
        raise OSError(f"{output} can't be written ({why}); give another folder by output=FOLDER") from error


def _run_pages(folder: Path, output: Path, names: Sequence[str]) -> dict[str, str]:
    """The addresses of the pages of runs, as seen from a page in `output`."""
    pages = {name: folder / name / "report.html" for name in names}
    return {
        name: quote(Path(os.path.relpath(page.resolve(), output.resolve())).as_posix())
        for name, page in pages.items()
        if page.is_file()
    }


def report_lines(report: SweepReport) -> list[str]:
    """The points, a line each, and what to mind."""
    lines = []
    for point, best in zip(report.points, report.gmacs_front, strict=True):
        costs = f"{point.gmacs:.4g} GMACs, {point.speed:.1f} {report.units[1]}/s"
        lines.append(f"{point.name}: {point.quality.describe()}, {costs}{', on the front' if best else ''}")
    lines += [f"mind: {sentence}" for sentence in report.warnings[:NUM_WARNINGS_SHOWN]]
    if len(report.warnings) > NUM_WARNINGS_SHOWN:
        lines.append(f"mind: {len(report.warnings) - NUM_WARNINGS_SHOWN} more such sentences in report.html")
    return lines + [f"{run.name} {run.state}: {run.reason}" for run in report.unfinished]


def report_sweep(options: Given) -> None:
    """Read the sweep, print its points, write the files.

    Raises:
        ValueError: a folder that is none of a sweep, or nothing to report.
        OSError: a file can't be read or written.
    """
    runs, unfinished = read_sweep(options.folder)
    output = options.output or options.folder
    if not runs:
        write_failures(unfinished, options.folder, output)
        reasons = "; ".join(f"{one.name} {one.state}: {one.reason}" for one in unfinished[:3])
        raise ValueError(f"not one run of {options.folder} has a result ({reasons}); {output}/report.html lists them")
    if options.measure:
        runs = measure_again(options.folder, runs, tell=print)
    report = SweepReport(runs, points_of(runs, chance=options.over), unfinished)
    write_report(report, options.folder, output)
    print("\n".join(report_lines(report)))
    print(f"report.csv, report.png and report.html are in {output}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Report; gives the exit status."""
    return COMMAND.run(report_sweep, arguments)


if __name__ == "__main__":
    sys.exit(main())

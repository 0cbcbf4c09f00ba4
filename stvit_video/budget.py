"""`python -m stvit_video.budget ckpt_path=run/best.ckpt gmacs=5`: the most accurate way to run within a budget.

Frames, stride, picture size, tokens, place of generation and views of a checkpoint can be chosen when it runs. This
command tries them on validation videos, and tells for each cost which settings are the most accurate. Half of the
videos choose, the other half report. A search that was stopped goes on by the same command.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stvit_video.budgets.begin import open_journal, require_reachable
from stvit_video.budgets.front_report import format_front
from stvit_video.budgets.halves import draw_videos
from stvit_video.budgets.looking import Looker
from stvit_video.budgets.memory import NoMemoryError
from stvit_video.budgets.results import front_to_store, lines_to_run, write_results
from stvit_video.budgets.run_speed import LEAST_SECONDS, measure_speeds
from stvit_video.budgets.search import Found, search
from stvit_video.budgets.search_space import SETTINGS, chosen_space, num_settings
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.manifests.manifest import Manifest, require_one_frame
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.factories.evaluated_data import choose_data, labelled_manifest
from stvit_video.inference.cost_budget import Budget, best_within, read_budget
from stvit_video.inference.recognizer import Recognizer, load_recognizer, make_output_dir
from stvit_video.inference.run_settings import own_settings
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.inference.shared_settings import (
    BUDGET,
    CKPT_PATH,
    DEVICE,
    OF_CHECKPOINT,
    PROTOCOL,
    TIME_LIMIT,
    VIEWS,
)
from stvit_video.inference.stored_front import FRONT_KEY, StoredFront, read_front
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, check_metadata
from stvit_video.models.checkpoints.rewrite import add_to_metadata
from stvit_video.predictions.progress_bar import watch_progress
from stvit_video.predictions.stopping import Terminated, sigterm_ends
from stvit_video.settings.evaluate_settings import EvaluatedData
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.provenance import describe_hardware
from stvit_video.utils.value_kinds import PATH, TEXT, YES_NO, count_or_grid, several, sizes, whole, whole_numbers

DATA = ("source", "val", "root", "val_videos", "label_separator")  # of the settings of an evaluation
TOKENS = replace(several(sizes()), sign="N,N", example="8,16,4x4x4")
FAILURES = (NonFiniteLogitsError, NothingEvaluatedError, NoMemoryError)


def _list(name: str, help: str, default_words: str) -> Setting:
    kinds = {"num_tokens": TOKENS, "num_crops": replace(whole_numbers(low=1), read=_read_crops, example="1,3")}
    kind = kinds.get(name, replace(whole_numbers(low=1), example="8,16"))
    return Setting(name=name, kind=kind, help=help, default_words=default_words)


def _read_crops(text: str) -> tuple[int, ...]:
    crops = whole_numbers(low=1).read(text)
    if not set(crops) <= {1, 3}:
        raise ValueError("must be 1, 3 or both with a comma between")
    return crops


COMMAND = Command(
    prog="python -m stvit_video.budget",
    summary="The most accurate way to run a checkpoint within a budget, found on its validation videos.",
    settings=(
        CKPT_PATH,
        *BUDGET,
        Setting(name="write", kind=YES_NO, help="put what is found into the checkpoint, for predict", default=False),
        Setting(
            name="speed_only",
            kind=YES_NO,
            help="measure the speed of what the checkpoint holds on this machine, and store it; nothing else is done",
            default=False,
        ),
        Setting(
            name="out",
            kind=replace(PATH, example="budget"),
            help="folder of the results",
            default_words="budget, beside the checkpoint",
        ),
        _list("num_frames", "frames of a clip to try", "the trained number, and half of it"),
        _list("frame_stride", "distances of frames to try", "the trained one, and twice as much"),
        _list("crop_size", "picture sizes to try, in pixels", "the trained one, and 5/7 of it"),
        _list("num_tokens", "counts or grids of semantic tokens to try", "the trained ones"),
        _list("generate_at", "places of generation to try", "the trained ones"),
        _list("num_clips", "clips of a video to try", "1, 2 and the protocol's"),
        _list("num_crops", "crops of a clip to try, of 1 and 3", "1 and the protocol's"),
        replace(PROTOCOL, default_words=OF_CHECKPOINT),
        VIEWS[-1],
        *(
            Setting(
                name=f"data.{name}",
                kind=TEXT,
                help=str(EvaluatedData.model_fields[name].description),
                default_words="that of the training" if name != "source" else "the validation videos of the training",
            )
            for name in DATA
        ),
        Setting(name="num_videos", kind=whole(low=2), help="videos to take of the list", default_words="all"),
        Setting(name="first_videos", kind=whole(low=1), help="videos that all settings see", default=32),
        Setting(name="seed", kind=whole(low=0), help="of the halves of the videos", default=0),
        Setting(name="num_workers", kind=whole(low=0), help="threads that decode, beside the main one", default=1),
        TIME_LIMIT,
        DEVICE,
    ),
    examples=(
        "python -m stvit_video.budget ckpt_path=run/best.ckpt",
        "python -m stvit_video.budget ckpt_path=run/best.ckpt gmacs=5 num_clips=1 num_crops=1",
        "python -m stvit_video.budget ckpt_path=run/best.ckpt write=true num_tokens=8,16,64 generate_at=1,2,4",
        "python -m stvit_video.budget ckpt_path=run/best.ckpt latency_ms=50 data.source=csv data.val=test.csv",
    ),
    notes="A video is counted with all its views. Exit status: 0 done, 1 failed, 2 a setting is wrong.",
)


def find_budget(given: Given) -> None:
    """Search, write the results, print the front and the lines to run.

    Raises:
        ValueError: CheckpointError, ManifestError, settings that don't go together, or a budget that nothing meets.
        NothingEvaluatedError: no video of a half could be read.
        NonFiniteLogitsError: the model gives NaN or infinity.
        OSError: a file can't be written.
    """
    budget = read_budget(**{setting.name: getattr(given, setting.name) for setting in BUDGET})
    if given.speed_only:
        _measure_again(given, budget)
        return
    trained = load_recognizer(given.ckpt_path, device=given.device, protocol=given.protocol, average=given.average)
    own = own_settings(trained)
    space = chosen_space(trained, _lists(given))
    manifest, videos = _videos(given, trained)
    out = make_output_dir(_folder(given))
    with open_journal(out, trained, manifest, space, seed=given.seed) as journal:
        looker = Looker(
            trained=trained,
            manifest=manifest,
            settings=space.combinations(trained),
            journal=journal,
            source=FrameSource(time_limit_seconds=given.time_limit_seconds, warn=False),
            watch=watch_progress,
            num_threads=given.num_workers,
        )
        found = _search(given, looker, budget)
        front = front_to_store(looker, found, videos=videos, seed=given.seed)
        names = write_results(front, looker, found, out)
    print(format_front(front, own=own))
    print(f"{', '.join(names[:-1])} and {names[-1]} are in {out}")
    if given.write:
        _store(given.ckpt_path, front)
    if budget is not None:
        point = best_within(front.points, budget)
        lines = lines_to_run(given.ckpt_path, point.settings, own=own, protocol=given.protocol, average=given.average)
        print("\n".join([f"the most accurate within {budget}:", *(f"  {line}" for line in lines)]))


def _search(given: Given, looker: Looker, budget: Budget | None) -> Found:
    journal = looker.journal
    for note in journal.notes:
        print(f"note: {note}", file=sys.stderr)
    require_reachable(looker.settings, journal.costs, budget)
    is_all_wanted = budget is None or budget.name != "gmacs" or given.write
    try:
        with sigterm_ends():
            found = search(
                looker,
                seed=given.seed,
                first_videos=given.first_videos,
                most_gmacs=None if is_all_wanted or budget is None else budget.limit,
            )
    except (KeyboardInterrupt, Terminated):
        print("stopped; what is done is kept, and the same command goes on", file=sys.stderr)
        raise
    if journal.errors:
        first = next(iter(journal.errors.values()))
        print(f"{len(journal.errors)} videos could not be read and count nowhere, such as: {first}", file=sys.stderr)
    return found


def _videos(given: Given, trained: Recognizer) -> tuple[Manifest, str]:
    """The labelled videos, and where they come from in words."""
    named = EvaluatedData(**{name: getattr(given, f"data.{name}") for name in DATA})
    is_stored = named.source is None
    data = choose_data(trained.config["data"], named)
    manifest = labelled_manifest(data, trained.classes, stored=is_stored, held_back=trained.held_back)
    trained.require_labels_of(manifest)
    require_one_frame(manifest, num_frames=trained.preprocessing.num_frames)
    if given.num_videos is not None:
        labels = [record.labels for record in manifest.records]
        chosen = draw_videos(labels, count=given.num_videos, seed=given.seed)
        manifest = replace(manifest, records=tuple(manifest.records[place] for place in chosen))
    return manifest, "validation videos of the training" if is_stored else f"{named.source}: {named.val or named.root}"


def _lists(given: Given) -> dict[str, Sequence[Any] | None]:
    """The values to try of each setting; None = the default ones."""
    lists = {name: getattr(given, name) for name in SETTINGS}
    tokens = lists["num_tokens"]
    return lists | {"num_tokens": None if tokens is None else [count_or_grid(one) for one in tokens]}


def _folder(given: Given) -> Path:
    """Where results go."""
    path = Path(given.ckpt_path)
    return given.out or (path if path.is_dir() else path.parent) / "budget"


def _store(ckpt_path: Path, front: StoredFront) -> None:
    file = add_to_metadata(ckpt_path, {FRONT_KEY: front.plain()})
    held = num_settings(len(front.points))
    print(f"{file} holds the front of {held}; gmacs=, clips_per_second= or latency_ms= chooses one")


def _measure_again(given: Given, budget: Budget | None) -> None:
    """Measure the settings that the checkpoint holds on this machine, and store their speed."""
    metadata = check_metadata(read_checkpoint(given.ckpt_path).get(METADATA_KEY), source=repr(str(given.ckpt_path)))
    front = read_front(metadata, source=str(given.ckpt_path))
    trained = load_recognizer(given.ckpt_path, device=given.device, protocol=front.protocol, average=front.average)
    own = own_settings(trained)
    speeds = measure_speeds(
        trained,
        [point.settings for point in front.points],
        least_seconds=LEAST_SECONDS,
    )
    points = tuple(replace(point, **speed._asdict()) for point, speed in zip(front.points, speeds, strict=True))
    front = replace(front, points=points, hardware=describe_hardware(trained.device))
    print(format_front(front, own=own))
    _store(given.ckpt_path, front)
    if budget is not None:
        print(f"the most accurate within {budget}: {best_within(points, budget)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Find the settings; gives the exit status."""
    return COMMAND.run(find_budget, arguments, failures=FAILURES)


if __name__ == "__main__":
    sys.exit(main())

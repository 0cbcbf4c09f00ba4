"""The search for the settings that are worth their cost: chosen on one half of the videos, reported on the other."""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stvit_video.budgets.halves import Labels, split_in_halves
from stvit_video.budgets.halving import Quality, Round, front_of, search_front
from stvit_video.budgets.looking import Looker
from stvit_video.budgets.run_speed import LEAST_SECONDS, measure_speeds
from stvit_video.budgets.search_space import SearchSpace, num_settings
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.inference.stored_front import FrontPoint
from stvit_video.inference.test_protocol import MAX_VIEWS_PER_FORWARD
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.predictions.checkpoint_digest import checkpoint_digest
from stvit_video.predictions.made_with import DIGEST_SHOWN


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        points: the front, cheapest first.
        rounds: of the search.
        choosing: positions of the videos that chose.
        reporting: of the other ones.
    """

    points: tuple[FrontPoint, ...]
    rounds: tuple[Round, ...]
    choosing: tuple[int, ...]
    reporting: tuple[int, ...]


def what_is_searched(trained: TrainedModel, manifest: Manifest, space: SearchSpace, *, seed: int) -> dict[str, Any]:
    """What a journal is of, by names that a user knows."""
    return {
        "checkpoint": checkpoint_digest(trained),
        "videos": f"{len(manifest.records)} (digest {_digest_of(manifest)})",
        "protocol": trained.protocol.name,
        "average": trained.protocol.average,
        "seed": seed,
        **space.plain(),
    }


def search(looker: Looker, *, seed: int, first_videos: int, most_gmacs: float | None = None) -> Found:
    """Search the front, and measure it.

    Args:
        looker: looks at videos with settings.
        seed: of the halves, and of the intervals.
        first_videos: that all settings see.
        most_gmacs: settings that cost more are left out; None = there is no limit.

    Raises:
        ValueError: fewer than 2 videos, or no setting that can be run.
        NothingEvaluatedError: no video of a half could be read.
        NonFiniteLogitsError: the model gives NaN or infinity.
    """
    labels: list[Labels] = [record.labels for record in looker.manifest.records]
    choosing, reporting = split_in_halves(labels, seed=seed)
    able = [
        (number, cost)
        for number, cost in enumerate(looker.journal.costs)
        if cost is not None and (most_gmacs is None or cost <= most_gmacs)
    ]
    numbers, costs = [number for number, _ in able], [cost for _, cost in able]

    def look(chosen: Sequence[int], num_videos: int) -> list[Quality | None]:
        mine = [numbers[place] for place in chosen]
        num_left = looker.num_left(mine, choosing[:num_videos])
        _tell(f"{num_settings(len(chosen))} on {num_videos} videos, {num_left} of them not looked at yet")
        looker.look(mine, choosing[:num_videos])
        return looker.qualities(mine, choosing[:num_videos])

    rounds = search_front(costs, look, num_videos=len(choosing), first=first_videos)
    front = [numbers[place] for place in front_of(costs, rounds[-1])]
    _tell(
        f"{num_settings(len(front))} of the front on the {len(reporting)} other videos, "
        f"{looker.num_left(front, reporting)} of them not looked at yet"
    )
    looker.look(front, reporting)
    front = [number for number in front if number not in looker.journal.lost]
    if not front:
        raise ValueError(f"no setting of the front fits into memory: {next(iter(looker.journal.lost.values()))}")
    named = tuple(
        Round(one.num_videos, tuple(numbers[place] for place in one.settings), one.qualities) for one in rounds
    )
    points = _points(looker, front, choosing, reporting, seed=seed)
    return Found(tuple(points), named, tuple(choosing), tuple(reporting))


def _points(
    looker: Looker, front: Sequence[int], choosing: Sequence[int], reporting: Sequence[int], *, seed: int
) -> list[FrontPoint]:
    _tell(f"the speed of {num_settings(len(front))} on this machine")
    settings = [looker.settings[number] for number in front]
    limits = [looker.journal.views_at_once.get(number, MAX_VIEWS_PER_FORWARD) for number in front]
    speeds = measure_speeds(looker.trained, settings, views_at_once=limits, least_seconds=LEAST_SECONDS)
    points = []
    for number, one, speed in zip(front, settings, speeds, strict=True):
        chosen, reported = (looker.qualities([number], videos)[0] for videos in (choosing, reporting))
        assert chosen is not None
        assert reported is not None
        intervals = [
            looker.judge.interval(looker.values_of(number, videos), looker.labels_of(videos), seed=seed)
            for videos in (choosing, reporting)
        ]
        point = FrontPoint(
            settings=one,
            gmacs=looker.journal.costs[number],
            clips_per_second=speed.clips_per_second,
            latency_ms=speed.latency_ms,
            accuracy=chosen.main,
            interval=intervals[0],
            reported=reported.main,
            reported_interval=intervals[1],
            views_at_once=speed.views_at_once,
        )
        points.append(point)
    return points


def _digest_of(manifest: Manifest) -> str:
    """Of the videos, their labels and their segments, in order."""
    digest = hashlib.sha256()
    for record in manifest.records:
        text = repr((record.video_id, record.labels, record.start_seconds, record.end_seconds))
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:DIGEST_SHOWN]


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

"""A whole search on a tiny checkpoint: against every setting on every video, and gone on with after a stop."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from stvit_video.budgets.begin import open_journal
from stvit_video.budgets.halves import split_in_halves
from stvit_video.budgets.looking import Looker
from stvit_video.budgets.search import search
from stvit_video.budgets.search_space import default_space
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.factories.evaluated_data import labelled_manifest
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.inference.scoring import evaluate_manifest, score_videos


class StopError(Exception):
    """Ends a search as a kill does, between two videos."""


@pytest.fixture
def begun(elastic_run, quick_costs, tmp_path):
    """A function: how many videos are looked at before a stop -> a looker in an open journal."""
    trained = elastic_run.load()
    manifest = labelled_manifest(trained.config["data"], trained.classes, stored=True)
    space = replace(default_space(trained), num_frames=(4,), num_crops=(1,))

    @contextmanager
    def begin(stop_after=10**6, folder="a"):
        (tmp_path / folder).mkdir(exist_ok=True)
        looked = []

        @contextmanager
        def watch(*, total, done):
            def report(prediction):
                looked.append(prediction.file.name)
                if len(looked) > stop_after:
                    raise StopError

            yield report

        with open_journal(tmp_path / folder, trained, manifest, space, seed=0) as journal:
            yield (
                Looker(
                    trained=trained,
                    manifest=manifest,
                    settings=space.combinations(trained),
                    journal=journal,
                    source=FrameSource(),
                    watch=watch,
                ),
                looked,
            )

    return begin


def untimed(found):
    points = [replace(point, clips_per_second=0.0, latency_ms=0.0) for point in found.points]
    return points, found.rounds, found.choosing, found.reporting


def test_the_front_is_that_of_every_setting_on_every_video(elastic_run, begun):
    with begun() as (looker, looked):
        found = search(looker, seed=0, first_videos=7)  # one round: nothing is dropped
        assert len(looked) == len(set(looked)) == 14  # each video was looked at once
        costs = looker.journal.costs
    manifest, labels = looker.manifest, [record.labels for record in looker.manifest.records]
    choosing, reporting = split_in_halves(labels, seed=0)
    best, expected = -1.0, {}  # by cost: the least accuracy that is on the front
    for cost, number in sorted((cost, number) for number, cost in enumerate(costs) if cost is not None):
        accuracy = sum(looker.journal.values[video][number][0] for video in choosing) / 7
        if accuracy > best:
            best = expected[cost] = accuracy
    assert {point.gmacs: point.accuracy for point in found.points} == expected
    for point in found.points:
        alone = load_recognizer(elastic_run.checkpoint, device="cpu", **point.settings.plain())
        for half, told in ((choosing, point.accuracy), (reporting, point.reported)):
            mine = replace(manifest, records=tuple(manifest.records[video] for video in half))
            assert score_videos(alone, evaluate_manifest(alone, mine))[1]["top1"] == pytest.approx(told)
        assert point.interval[0] <= point.accuracy <= point.interval[1]
        assert point.latency_ms > 0


@pytest.mark.parametrize("stop_after", [2, 9])
def test_a_search_that_was_stopped_goes_on_to_the_same_result(begun, stop_after):
    with begun(folder="whole") as (looker, _):
        whole = untimed(search(looker, seed=0, first_videos=2))
    with pytest.raises(StopError), begun(stop_after, folder="stopped") as (looker, looked):
        search(looker, seed=0, first_videos=2)
    with begun(folder="stopped") as (looker, later):
        assert untimed(search(looker, seed=0, first_videos=2)) == whole
    assert not set(looked) & set(later)  # what was looked at was kept
    with begun(0, folder="stopped") as (looker, _):
        assert untimed(search(looker, seed=0, first_videos=2)) == whole  # and nothing is left to do


def test_settings_over_the_budget_are_not_looked_at(begun):
    with begun() as (looker, _):
        costs = sorted(cost for cost in looker.journal.costs if cost is not None)
        limit = costs[len(costs) // 4]
        found = search(looker, seed=0, first_videos=4, most_gmacs=limit)
        assert all(point.gmacs <= limit for point in found.points)
        seen = {number for values in looker.journal.values.values() for number in values}
        assert {looker.journal.costs[number] <= limit for number in seen} == {True}

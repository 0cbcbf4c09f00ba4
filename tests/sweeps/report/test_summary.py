import csv
import io

import pytest
from sweep_maker import make_run, make_runs

from stvit_video.sweeps.report.points import points_of
from stvit_video.sweeps.report.summary import SweepReport, format_rows, report_rows


@pytest.fixture
def report():
    runs = make_runs()
    return SweepReport(runs, points_of(runs))


def test_fronts_by_hand(report):
    assert report.gmacs_front == [True, True, True]
    assert report.speed_front == [True, False, True]
    assert report.metric == "top1"


def test_rows_by_hand(report):
    rows = list(csv.DictReader(io.StringIO(format_rows(report_rows(report)))))
    assert rows[0] == {
        "series": "stvit_video_deit_tiny, semantic",
        "setting": "16 tokens",
        "num_tokens": "16",
        "gmacs_per_view": "2",
        "clips_per_second": "40",
        "top1_mean": "0.5000",
        "std": "0.3536",
        "min": "0.2500",
        "max": "0.7500",
        "num_runs": "2",
        "best_for_gmacs": "1",
        "best_for_speed": "1",
        "runs": "0 1",
    }
    assert (rows[2]["std"], rows[2]["num_tokens"], rows[2]["best_for_speed"]) == ("", "", "1")
    assert rows[2]["setting"] == "dense"


def test_a_metric_that_only_some_points_have_is_empty_for_the_others():
    runs = [make_run("0", tokens=8, top5=0.9), make_run("1", tokens=16)]
    rows = list(csv.DictReader(io.StringIO(format_rows(report_rows(SweepReport(runs, points_of(runs)))))))
    assert [row["top5_mean"] for row in rows] == ["0.9000", ""]


def test_points_of_one_cost_are_warned_of(report):
    assert report.warnings == [
        "stvit_video_deit_tiny, semantic 16 tokens (2 GMACs) lies within 5% of the cost of stvit_video_deit_tiny, pool "
        "8 tokens (1.95 GMACs): cost does not tell them apart"
    ]


def test_speeds_that_were_measured_once_are_warned_of():
    runs = [make_run("0", speed_measured=None), make_run("1", "y=1", gmacs=5.0), make_run("2", "z=1", gmacs=9.0)]
    (warning,) = SweepReport(runs, points_of(runs)).warnings
    assert warning.startswith("clips/s of 1 of 3 runs was measured once, at the end of each, beside whatever else ")


def test_many_points_of_one_cost_are_counted():
    runs = [make_run(str(n), tokens=n) for n in range(1, 7)]
    first, *_, last = SweepReport(runs, points_of(runs)).warnings
    assert first.endswith("4 tokens (1 GMACs) and 2 more: cost does not tell them apart")
    assert last.startswith("stvit_video_deit_tiny, semantic 5 tokens (1 GMACs) lies within 5% of the cost of ")


def test_runs_that_are_not_comparable_are_warned_of():
    runs = [make_run("0", hardware="a"), make_run("1", "y=1", gmacs=5.0, hardware="b", commit="c+changes")]
    report = SweepReport(runs, points_of(runs))
    assert report.faults == ["the runs differ in hardware: a; b", "the runs differ in commit: abc; c+changes"]
    assert report.warnings == report.faults
    assert report.ties == []


def test_what_differs_is_told_in_words():
    protocols = [{"name": "uniform", "num_clips": count} for count in (1, 5)]
    runs = [make_run(str(n), f"y={n}", gmacs=5.0**n, protocol=one) for n, one in enumerate(protocols)]
    report = SweepReport(runs, points_of(runs))
    assert report.faults == ["the runs differ in protocol: name uniform, num_clips 1; name uniform, num_clips 5"]

import csv
import io

import pytest
from sweep_maker import make_run, make_runs

from stvit_video.sweeps.report.pareto import spread_of
from stvit_video.sweeps.report.points import Run, points_of
from stvit_video.sweeps.report.summary import SweepReport, format_rows, report_rows, speed_words


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
        "2 points cost 1.95 to 2 GMACs, within 5%: cost does not tell stvit_video_deit_tiny, pool 8 tokens and "
        "stvit_video_deit_tiny, semantic 16 tokens apart"
    ]


def test_speeds_that_were_measured_once_are_warned_of():
    runs = [make_run("0", speed_measured=None), *(make_run(str(n), f"y={n}", gmacs=4.0**n, top1=n / 9) for n in (1, 2))]
    (warning,) = SweepReport(runs, points_of(runs)).warnings
    assert warning.startswith("clips/s of 1 of 3 runs was measured once, at the end of each, beside whatever else ")


def test_many_points_of_one_cost_are_counted():
    runs = [make_run(str(n), tokens=n, top1=n / 9) for n in range(1, 7)]
    assert SweepReport(runs, points_of(runs)).warnings == [
        "6 points cost 1 GMACs, within 5%: cost does not tell 1 token; 2 tokens; 3 tokens and 3 more apart"
    ]


def test_of_points_that_are_printed_alike_the_cheapest_is_the_best_and_on_the_front():
    runs = [make_run(str(n), tokens=n, gmacs=float(n), speed=100.0 / n, top1=0.5 + 1e-6 * n) for n in (4, 2, 3)]
    runs.append(make_run("9", tokens=1, top1=0.4, gmacs=1.0, speed=51.0))
    report = SweepReport(runs, points_of(runs))
    assert [point.num_tokens for point in report.best] == [2, 3, 4]
    assert report.gmacs_front == [False, True, False, True]
    assert report.speed_front == [False, True, False, False]  # 2 % quicker is not quicker
    assert [row["best_for_speed"] for row in report_rows(report)] == ["0", "1", "0", "0"]


def test_what_lies_within_one_video_of_the_best_is_told():
    def faults(*values, **more):
        runs = [make_run(f"{n}", "seed=1", tokens=n, top1=top1, **more) for n, top1 in enumerate(values, start=1)]
        return SweepReport(runs, points_of(runs)).faults

    near = "one of 12 videos is worth 0.083: {} within that of the best, 3 tokens"
    assert faults(0.7, 0.75, 10 / 12, num_videos_used=12) == [near.format("2 tokens lies")]
    assert faults(9 / 12, 9 / 12, 10 / 12, num_videos_used=12) == [near.format("1 token and 2 tokens lie")]
    (all_alike,) = faults(*[0.5] * 7, num_videos_used=12)
    assert all_alike.endswith(": all other 6 points lie within that of the best, 1 token")
    assert faults(0.1, 0.5, num_videos_used=12) == ["one of 12 videos is worth 0.083"]
    assert faults(0.1, 0.5, num_videos_used=9000) == []
    assert faults(0.1, 0.5) == faults(0.5, num_videos_used=12) == []


def test_points_whose_runs_are_as_good_as_those_of_the_best_are_told():
    tops = {8: (0.5, 0.7), 4: (0.4, 0.51), 2: (0.4, 0.49)}
    runs = [make_run(f"{n}_{top1}", f"seed={top1}", tokens=n, top1=top1) for n, both in tops.items() for top1 in both]
    words = "4 tokens lies within {}the spread of runs of the best, 8 tokens"
    assert SweepReport(runs, points_of(runs)).faults == [words.format("")]
    counted = [Run(run.name, run.overrides, {**run.result, "num_videos_used": 50}) for run in runs]
    told = "one of 50 videos is worth 0.02: " + words.format("that or within ")
    assert SweepReport(counted, points_of(counted)).faults == [told]


def test_speeds_have_as_many_digits_as_the_runs_agree_in():
    assert speed_words(spread_of([1074.4])) == "1070"
    assert speed_words(spread_of([30.0, 50.0])) == "40 (30 to 50)"
    assert speed_words(spread_of([123456.0, 123457.0])) == "123000"
    assert speed_words(spread_of([0.012345])) == "0.0123"


def test_runs_that_are_not_comparable_are_warned_of():
    runs = [make_run("0", hardware="a"), make_run("1", "y=1", gmacs=5.0, top1=1.0, hardware="b", commit="c+changes")]
    report = SweepReport(runs, points_of(runs))
    assert report.faults == ["the runs differ in hardware: a; b", "the runs differ in commit: abc; c+changes"]
    assert report.warnings == report.faults
    assert report.ties == []


def test_what_differs_is_told_in_words():
    protocols = [{"name": "uniform", "num_clips": count} for count in (1, 5)]
    runs = [make_run(str(n), f"y={n}", gmacs=5.0**n, top1=0.1 + n, protocol=one) for n, one in enumerate(protocols)]
    report = SweepReport(runs, points_of(runs))
    assert report.faults == ["the runs differ in protocol: name uniform, num_clips 1; name uniform, num_clips 5"]

import pytest
from sweep_maker import make_run

from stvit_video.sweeps.report.measured_with import fact_words, measured_with, versions_of

COMMIT = "3b6d2e1996b038cddf6a88acca21ff96c65afa81"
LINE = "top-1 0.5  top-5 1.0  (360 of 360 videos, 1 clip x 1 crop, softmax averaged (soft), {places}, protocol uniform)"


def run(number, **more):
    return make_run(str(number), commit=COMMIT, date=f"2026-11-{20 + number}T16:37:41+00:00", **more)


def test_facts_in_words():
    runs = [run(number, result=LINE.format(places=f"after block {number}")) for number in (1, 2)]
    assert measured_with(runs) == [
        ("hardware", "a processor"),
        ("commit", COMMIT[:10]),
        ("measured", "2026-11-21 to 2026-11-22"),
        ("protocol", "360 of 360 videos, 1 clip x 1 crop, softmax averaged (soft), protocol uniform"),
        ("speed", "of all runs, one after the other"),
    ]


def test_results_of_old_runs():
    """Without a line, a date and a turn for the measurement of speed."""
    old = make_run("0", protocol={"name": "uniform", "num_clips": 2}, speed_measured=None, commit=None)
    assert measured_with([old]) == [
        ("hardware", "a processor"),
        ("protocol", "name uniform, num_clips 2"),
        ("speed", "at the end of each run, beside whatever else the machine did"),
    ]
    facts = dict(measured_with([old, run(3, hardware="b")]))
    assert facts["hardware"] == "a processor; b"
    assert facts["measured"] == "2026-11-23 16:37 UTC"
    assert facts["speed"].startswith("of 1 run one after the other, else at the end of each")


def test_many_values_are_counted():
    runs = [make_run(str(n), hardware=f"machine {n}") for n in range(7)]
    assert dict(measured_with(runs))["hardware"] == "machine 0; machine 1; machine 2; and 4 more"


def test_one_day_in_hours():
    runs = [make_run("0", date="2026-11-29T06:07:00+00:00"), make_run("1", date="2026-11-29T06:14:59+00:00")]
    assert dict(measured_with(runs))["measured"] == "2026-11-29 06:07 to 06:14 UTC"
    assert dict(measured_with([make_run("0", date="2026-11-29")]))["measured"] == "2026-11-29"


def test_versions():
    runs = [make_run("0", versions={"torch": "2.9", "python": "3.11"}), make_run("1", versions={"torch": "2.10"})]
    assert versions_of([*runs, make_run("2")]) == [("torch", "2.10; 2.9"), ("python", "3.11")]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("commit", COMMIT + "+changes", f"{COMMIT[:10]}+changes"),
        ("protocol", {"name": "uniform", "grid": [2, 3]}, "name uniform, grid 2 x 3"),
        ("hardware", COMMIT, COMMIT),
        ("picture_size", [96, 128], "96 x 128"),
        ("commit", None, "unknown"),
        ("num_videos_used", 360, "360"),
    ],
)
def test_words(name, value, words):
    assert fact_words(name, value) == words

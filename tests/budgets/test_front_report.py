"""Table, CSVs and picture of a front."""

import csv
from dataclasses import replace

import pytest

from stvit_video.budgets.front_report import format_front, save_front_plot, speed_front, write_front, write_tried
from stvit_video.budgets.halving import Quality, Round
from stvit_video.inference.run_settings import RunSettings
from stvit_video.inference.stored_front import FrontPoint, StoredFront

OWN = RunSettings(
    num_frames=4, frame_stride=2, crop_size=16, short_side=20, num_tokens=4, generate_at=2, num_clips=2, num_crops=3
)
CHEAP = replace(OWN, num_tokens=(1, 1, 2), num_clips=1, num_crops=1)


def point(settings, gmacs, accuracy, *, speed, views_at_once=16):
    return FrontPoint(
        settings=settings,
        gmacs=gmacs,
        clips_per_second=speed,
        latency_ms=1000 / speed,
        accuracy=accuracy,
        interval=(accuracy - 0.125, accuracy + 0.125),
        reported=accuracy - 0.0625,
        reported_interval=(accuracy - 0.25, accuracy),
        views_at_once=views_at_once,
    )


@pytest.fixture
def front():
    points = (
        point(CHEAP, 1.25, 0.5, speed=40.0),
        point(replace(OWN, num_clips=1), 3.0, 0.625, speed=50.0),
        point(OWN, 12.5, 0.75, speed=4.0, views_at_once=4),
    )
    return StoredFront(
        points=points,
        metric="top-1",
        protocol="uniform",
        average="prob",
        num_choosing=31,
        num_reporting=30,
        videos="csv: list.csv",
        seed=0,
        hardware="a processor, 1 threads",
        commit=None,
        date="2026-01-02",
    )


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_by_hand(front):
    assert format_front(front, own=OWN).splitlines() == [
        "| GMACs | videos/s | ms | top-1, 31 that chose | top-1, 30 others | settings |",
        "|--:|--:|--:|---|---|---|",
        "| 1.25 | 40 | 25 | 0.500 (0.375-0.625) | 0.438 (0.250-0.500) | "
        "short_side=20 num_tokens=1x1x2 num_clips=1 num_crops=1 |",
        "| 3 | 50 | 20 | 0.625 (0.500-0.750) | 0.562 (0.375-0.625) | num_clips=1 |",
        "| 12.5 | 4 | 250 | 0.750 (0.625-0.875) | 0.688 (0.500-0.750) | "
        "as the checkpoint says (4 views at once, not 16: more did not fit into memory) |",
    ]


def test_the_front_as_csv(front, tmp_path):
    write_front(front, tmp_path / "budget.csv")
    rows = read(tmp_path / "budget.csv")
    assert [row["num_tokens"] for row in rows] == ["1x1x2", "4", "4"]
    assert [float(row["gmacs"]) for row in rows] == [1.25, 3, 12.5]
    names = ("accuracy", "accuracy_low", "reported", "reported_high")
    assert [rows[0][name] for name in names] == ["0.5000", "0.3750", "0.4375", "0.5000"]
    assert [row["best_for_speed"] for row in rows] == ["0", "1", "1"]
    assert [bool(row["note"]) for row in rows] == [False, False, True]
    assert speed_front(front.points) == [False, True, True]


def test_every_setting_that_was_tried_is_told(tmp_path):
    settings = [CHEAP, OWN, replace(OWN, num_frames=2), replace(OWN, num_tokens=None, generate_at=None), OWN]
    rounds = [
        Round(8, (0, 1, 2), (Quality(0.25), Quality(0.5), Quality(0.125))),
        Round(16, (0, 1), (Quality(0.375), Quality(0.625))),
    ]
    write_tried(
        tmp_path / "tried.csv",
        settings=settings,
        costs=[1, 2, 3, None, 99],
        rounds=rounds,
        lost={2: "no memory"},
        metric="top-1",
    )
    rows = read(tmp_path / "tried.csv")
    assert [(row["num_videos"], row["top-1"], row["note"]) for row in rows] == [
        ("16", "0.3750", ""),
        ("16", "0.6250", ""),
        ("8", "0.1250", "no memory"),
        ("0", "", "the model can't run with it"),
        ("0", "", "over the budget"),
    ]
    assert (rows[3]["num_tokens"], rows[3]["generate_at"], rows[3]["gmacs"]) == ("", "", "")


def test_the_picture_is_one(front, tmp_path):
    save_front_plot(front, tmp_path / "budget.png")
    assert (tmp_path / "budget.png").read_bytes().startswith(b"\x89PNG")
    one = replace(front, points=front.points[:1])
    save_front_plot(one, tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 5000

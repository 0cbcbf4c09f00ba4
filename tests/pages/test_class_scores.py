import pytest

from stvit_video.pages.class_scores import MAX_BARS, class_scores


def test_the_worst_class_comes_first_and_one_without_videos_last():
    rows = [
        {"class": "0.123456", "label": "0", "accuracy": "0.500000", "videos": "4", "predicted": "3"},
        {"class": "never", "label": "1", "accuracy": "", "videos": "0", "predicted": "1"},
        {"class": "few", "label": "2", "accuracy": "0.250000", "videos": "1", "predicted": "0"},
        {"class": "many", "label": "3", "accuracy": "0.250000", "videos": "2000", "predicted": "0"},
    ]
    scores = class_scores(rows)
    assert (scores.score, scores.num_scored) == ("accuracy", 3)
    assert scores.bars == [
        ("many", 0.25, "0.250 (2,000 videos)"),
        ("few", 0.25, "0.250 (1 video)"),
        ("0.123456", 0.5, "0.500 (4 videos)"),
    ]
    assert (scores.equal, scores.empty) == ("", "1 class has no video")
    assert scores.table.heads == ["class", "accuracy", "videos", "class no.", "times said"]
    assert scores.table.rows[2] == ["0.123456", "0.500", "4", "0", "3"]
    assert scores.table.rows[3] == ["never", "", "0", "1", "1"]
    assert scores.table.numbers == ["accuracy", "videos", "class no.", "times said"]


@pytest.mark.parametrize(
    ("columns", "score"),
    [
        ({"objects": "3", "box_AP": "0.5", "box_AP50": "0.6", "mask_AP": "0.25"}, "mask AP"),
        ({"objects": "3", "box_AP": "0.5"}, "box AP"),
        ({"IoU": "0.5", "accuracy": "0.6", "pixels": "7"}, "IoU"),
        ({"steps": "3", "recall": "0.5"}, "recall"),
        ({"AP": "0.5", "videos": "2"}, "AP"),
    ],
)
def test_each_task_has_its_score(columns, score):
    assert class_scores([{"class": "a", **columns}]).score == score


def test_of_many_classes_the_worst_have_bars():
    rows = [{"class": f"c{place}", "AP": f"{place / 100:.6f}", "videos": "1"} for place in range(100)]
    scores = class_scores(rows)
    assert [bar.name for bar in scores.bars] == [f"c{place}" for place in range(MAX_BARS)]
    assert (scores.num_scored, len(scores.table.rows)) == (100, 100)


def test_classes_that_read_like_the_last_one_shown_are_counted():
    values = [0.0] * 28 + [0.1] * 2 + [0.10049] * 5 + [0.2]
    rows = [{"class": f"c{place}", "accuracy": f"{value:.6f}", "videos": "0"} for place, value in enumerate(values)]
    scores = class_scores(rows, unit="pictures")
    assert (scores.equal, scores.empty) == ("5 more at 0.100", "36 classes have no picture")
    assert scores.table.heads == ["class", "accuracy", "pictures"]


def test_the_share_of_a_class_stands_beside_its_ap():
    (bar,) = class_scores([{"class": "a", "AP": "0.5", "videos": "6"}], unit="pictures", num_videos=24).bars
    assert bar.text == "0.500 (6 pictures, 25 %)"


@pytest.mark.parametrize("rows", [[], [{"class": "a", "AP": "0.5"}], [{"class": "a", "videos": "3"}]])
def test_nothing_is_known_of_classes(rows):
    assert class_scores(rows) is None

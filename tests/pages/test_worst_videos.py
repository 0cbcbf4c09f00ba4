import pytest

from stvit_video.pages.worst_videos import WorstVideo, worst_videos


def row(video, label, said, score, label_score, **more):
    correct = str(int(label == said))
    return {"video": video, "label": label, "prediction": said, "top1_score": score, "correct": correct} | {
        **{"label_score": label_score, "error": ""},
        **more,
    }


def several(video, labels, predictions, top, label_score):
    pairs = {}
    for rank, (name, score) in enumerate(top, start=1):
        pairs |= {f"top{rank}_label": name, f"top{rank}_score": score}
    return {
        "video": video,
        "labels": labels,
        "predictions": predictions,
        **pairs,
        "label_score": label_score,
        "error": "",
    }


def test_the_surest_mistake_comes_first():
    rows = [
        row("right", "a", "a", "0.9", "0.9"),
        row("near", "a", "b", "0.5", "0.4"),
        row("sure", "a", "b", "0.8", "0.1"),
        row("unread", "a", "", "", "", error="no such file"),
        row("surest", "b", "a", "0.75", "0.01"),
        row("near, too", "c", "b", "0.5", "0.4"),
    ]
    assert [video.video for video in worst_videos(rows)] == ["surest", "sure", "near", "near, too"]
    assert worst_videos(rows, count=1) == [WorstVideo("surest", "b", 0.01, "a", 0.75)]
    assert worst_videos(rows[:1]) == []


def test_logits_rank_alike():
    rows = [row("a", "x", "y", "3.5", "-2"), row("b", "x", "y", "9", "8")]
    assert [video.video for video in worst_videos(rows)] == ["a", "b"]


def test_tables_of_older_versions_have_no_score_of_the_label():
    old = [row("a", "x", "y", "0.5", ""), row("b", "x", "y", "0.75", "")]
    for one in old:
        del one["label_score"]
    assert worst_videos(old) == [WorstVideo("b", "x", None, "y", 0.75), WorstVideo("a", "x", None, "y", 0.5)]


def test_several_labels():
    rows = [
        several("right", "a;b", "a;b", [("a", "0.9"), ("b", "0.6"), ("c", "0.1")], "0.6"),
        several("too much", "a", "a;c", [("a", "0.9"), ("c", "0.7"), ("b", "0.1")], "0.9"),
        several("missed", "a;b", "a", [("a", "0.9"), ("c", "0.2"), ("b", "0.05")], "0.05"),
        several("no label", "", "c", [("c", "0.55"), ("a", "0.2"), ("b", "0.1")], ""),
        several("both", "b", "c", [("c", "0.95"), ("a", "0.2"), ("b", "0.1")], "0.1"),
    ]
    assert worst_videos(rows, separator=";") == [
        WorstVideo("both", "b", 0.1, "c", 0.95, (("b", 0.1),)),
        WorstVideo("no label", "", None, "c", 0.55),
        WorstVideo("missed", "a, b", 0.05, "", None, (("b", 0.05),)),
        WorstVideo("too much", "a", 0.9, "c", 0.7),
    ]


@pytest.mark.parametrize(
    ("labels", "missed"),
    [
        ("a;b;z", (("b", 0.25), ("z", 0.125))),  # z is not among the first, so it is the least
        ("a;b;y;z", (("b", 0.25), ("y", None), ("z", None))),  # one of them is
    ],
)
def test_missed_labels_have_the_scores_that_are_known(labels, missed):
    (video,) = worst_videos([several("v", labels, "a", [("a", "0.75"), ("b", "0.25")], "0.125")], separator=";")
    assert (video.said, video.missed) == ("", missed)

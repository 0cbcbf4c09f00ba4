"""The main figures of a run, what they mean, and what they would be without a model: of result.json and the tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stvit_video.pages.render import isolated
from stvit_video.pages.run_folder import RunFiles

__all__ = ["Figure", "baseline_words", "headline"]

MIN_CLASSES_FOR_TOP5 = 6  # of fewer every answer is among the first five
NO_VALUE = "-"
DETECTION = {
    "AP": ("AP", "average precision (area under precision against recall), the mean over classes and over overlaps "
                 "of .5 to .95 that a detection must have with the true object"),
    "AP50": ("AP50", "average precision where an overlap of .5 suffices"),
    "AP75": ("AP75", "average precision where the overlap must be .75"),
    "APs": ("APs", "AP of small objects, of less than 32 x 32 pixels"),
    "APm": ("APm", "AP of medium objects, of 32 x 32 to 96 x 96 pixels"),
    "APl": ("APl", "AP of large objects, of more than 96 x 96 pixels"),
    "AR": ("AR", "average recall: the share of the true objects that is found, the mean over classes and overlaps"),
}  # fmt: skip
MEANINGS: Mapping[str, tuple[str, str]] = {
    "top1": ("top-1", "share of the {unit} whose surest label is the true one"),
    "top5": ("top-5", "share of the {unit} whose true label is among the five surest"),
    "mean_class_accuracy": ("mean class accuracy", "top-1 of each class, and their mean: rare classes count as much"),
    "mean_average_precision": ("mAP", "average precision (area under precision against recall) of each label, and "
                                      "their mean"),
    "mIoU": ("mIoU", "intersection over union: pixels that are rightly of a class, of all that are or were said to "
                     "be of it; the mean over classes"),
    "mAcc": ("mAcc", "share of the pixels of a class that were said to be of it; the mean over classes"),
    "aAcc": ("aAcc", "share of all pixels whose class was said rightly"),
    **DETECTION,
    **{f"box_{key}": (f"box {name}", f"of boxes: {words}") for key, (name, words) in DETECTION.items()},
    "frame_mean_average_precision": ("frame mAP", "average precision of each label over the labelled steps, and their "
                                                  "mean"),
    "frame_accuracy": ("frame accuracy", "share of the labelled steps whose label was said rightly"),
    "frame_mean_class_accuracy": ("mean class accuracy", "frame accuracy of each class, and their mean"),
    **{f"f1_{percent}": (f"F1@.{percent.strip('0')}", f"F1 of the said segments; one is right if it overlaps a true "
                         f"one of its label by {percent} % (intersection over union)")
       for percent in ("10", "25", "50")},
    "segments_found": ("found", "share of the labelled segments that an event of their label touches"),
    "median_delay_seconds": ("median delay", "from the start of a segment until an event of its label is told"),
    "false_alarms_per_hour": ("false alarms an hour", "events in labelled time that touch no segment of their label"),
}  # fmt: skip
UNITS = {"median_delay_seconds": "{:.2f} s", "false_alarms_per_hour": "{:.2f}"}


class Figure(NamedTuple):
    """A figure that is shown large.

    Attributes:
        name: short, as people in the field say it.
        text: the number.
        meaning: what the name means.
    """

    name: str
    text: str
    meaning: str


def headline(result: Mapping[str, Any], *, unit: str) -> list[list[Figure]]:
    """The main figures of a result, whatever the task, in the order in which they are read.

    Args:
        result: what result.json holds.
        unit: what was evaluated, "videos" or "pictures".

    Returns:
        A line, or where masks and boxes are scored a line for each; none where no figure is known.
    """
    is_mask = "box_AP" in result
    found = []
    for key, (name, meaning) in MEANINGS.items():
        if key not in result or (key == "top5" and result.get("num_classes", 0) < MIN_CLASSES_FOR_TOP5):
            continue
        name = f"mask {name}" if is_mask and key in DETECTION else name
        value = result[key]
        text = NO_VALUE if value is None else UNITS.get(key, "{:.3f}").format(value)
        found.append(Figure(name, text, meaning.format(unit=unit)))
    lines = [[figure for figure in found if figure.name.startswith("box ") == is_box] for is_box in (False, True)]
    return [line for line in lines if line]


def baseline_words(files: RunFiles, *, separator: str) -> str:
    """What would be reached without looking at a video, in a sentence; "" = nobody knows.

    With one label a video: by always saying the commonest class, and by guessing. With several: the mean average
    precision of scores that know nothing, which is about the mean share of the labels.

    Args:
        files: of the run.
        separator: stands between several labels of a cell of predictions.csv.
    """
    read = [row for row in files.predictions if not row["error"]]
    if not read:
        return ""
    if files.has_several_labels:
        return _of_several([row["labels"].split(separator) for row in read if row["labels"]], len(read))
    (label, count), *others = Counter(row["label"] for row in read).most_common(2)
    said = isolated(label) if not others or others[0][1] < count else "the same class"
    guessed = f", guessing {1 / files.result['num_classes']:.3f}" if files.result.get("num_classes") else ""
    return f"Always saying {said} would give a top-1 of {count / len(read):.3f}{guessed}."


def _of_several(labels: Sequence[Sequence[str]], num_videos: int) -> str:
    counts = Counter(label for several in labels for label in several)
    if not counts:
        return ""
    share = sum(counts.values()) / len(counts) / num_videos
    return f"Scores that know nothing would give an mAP of about {share:.3f}, the mean share of the labels."

from collections import Counter
from pathlib import Path

import pytest

from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL, Manifest, VideoRecord
from stvit_video.training.class_weights import class_weights, count_videos

CLASSES = ("run", "jump", "sit")


def single(labels):
    records = tuple(VideoRecord(Path(f"{i}.mp4"), label, f"{i}.mp4") for i, label in enumerate(labels))
    return Manifest(records, CLASSES)


def several(labels):
    records = tuple(
        VideoRecord(Path(f"{i}.mp4"), NO_SINGLE_LABEL, f"{i}.mp4", labels=found) for i, found in enumerate(labels)
    )
    return Manifest(records, CLASSES, multi_label=True)


def test_balanced_classes_weigh_the_same_together():
    labels = [0, 0, 0, 0, 1, 2, 2]
    weights = class_weights("balanced", single(labels))
    counts = Counter(labels)
    assert [weights[label] * counts[label] for label in range(3)] == pytest.approx([7 / 3] * 3)
    assert sum(weights[label] for label in labels) / 7 == pytest.approx(1.0)


def test_balanced_labels_are_the_others_for_each_that_has_it():
    manifest = several([(0,), (0, 1), (), (0, 2), (2,)])
    assert count_videos(manifest) == [3, 1, 2]
    assert class_weights("balanced", manifest) == pytest.approx((2 / 3, 4.0, 3 / 2))


def test_given_weights_are_taken_and_counted():
    assert class_weights(None, single([0])) is None
    assert class_weights([1, 2, 0.5], single([0])) == (1.0, 2.0, 0.5)
    message = (  # the whole sentence, once for its family
        "^optim.class_weights has 2 weights for 3 classes; give one for each, in the order of the classes "
        r"\(run, jump, sit, \.\.\.\), or balanced$"
    )
    with pytest.raises(ValueError, match=message):
        class_weights([1, 2], single([0]))


def test_a_class_that_no_video_shows_has_no_balanced_weight():
    with pytest.raises(ValueError, match="balanced .*1 classes that no training video shows, .*jump"):
        class_weights("balanced", single([0, 2]))
    with pytest.raises(ValueError, match="balanced .*2 classes .*or every one shows, .*run"):
        class_weights("balanced", several([(0, 1), (0,)]))

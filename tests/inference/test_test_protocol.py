"""Protocols: as published, changed, and refused."""

from typing import Any

import pytest

from stvit_video.inference.test_protocol import TestProtocol


def test_in_words() -> None:
    own = TestProtocol(num_clips=2, num_crops=3, average="prob")
    assert own.describe(short_side=20) == "2 clips x 3 crops, softmax averaged, short side 20, protocol uniform"
    assert own.describe(short_side=20, multi_label=True) == (
        "2 clips x 3 crops, sigmoid averaged, short side 20, protocol uniform"
    )
    changed = TestProtocol.named("mvit", num_clips=7, average="logit")
    assert changed == TestProtocol(name="mvit", num_clips=7, num_crops=1, average="logit")
    assert changed.describe(short_side=40, multi_label=True) == (
        "7 clips x 1 crop, logits averaged, short side 40, protocol mvit (num_clips=7, not 5; average=logit, not prob)"
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, 3, "prob"), "num_clips=0 .*at least 1"),
        (("x", 3, "prob"), "num_clips='x' .*at least 1"),
        ((True, 3, "prob"), "num_clips=True .*at least 1"),
        ((1, 2, "prob"), r"num_crops=2 .*1 \(centre\) or 3"),
        # the whole sentence, once for its family
        ((1, 1, "mean"), "^average='mean' is not known; use one of prob, logit$"),
    ],
)
def test_wrong_protocols(values: tuple[Any, Any, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TestProtocol(num_clips=values[0], num_crops=values[1], average=values[2])
    with pytest.raises(ValueError, match=message):
        TestProtocol.named("uniform", num_clips=values[0], num_crops=values[1], average=values[2])

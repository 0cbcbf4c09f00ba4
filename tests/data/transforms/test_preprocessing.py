import dataclasses
import json

import pytest
from random_frames import PLAIN

from stvit_video.data.transforms.preprocessing import Preprocessing


def test_preprocessing_survives_a_checkpoint():
    settings = dataclasses.replace(PLAIN, mean=(0.1, 0.2, 0.3))
    assert Preprocessing.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    newer = ("interpolation", "static_clip")
    older = {key: value for key, value in settings.to_dict().items() if key not in newer}
    assert Preprocessing.from_dict(older) == settings  # checkpoints from before they could be chosen
    with pytest.raises(ValueError, match=r"keys \['num_frames'\], .*\['crop_size', .*'std'\]"):
        Preprocessing.from_dict({"num_frames": 3})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_frames": 0}, "num_frames=0 .*whole number, at least 1"),
        ({"frame_stride": 1.5}, r"frame_stride=1\.5 .*whole number, at least 1"),
        # the whole sentence, once for its family
        (
            {"crop_size": 15},
            "^crop_size=15 does not fit short_side=14; make short_side as large as crop_size or larger$",
        ),
        ({"mean": (0.5, 0.5)}, r"mean=\(0\.5, 0\.5\) .*\b3 numbers"),
        ({"mean": (123.7, 116.3, 103.5)}, r"mean=\(123\.7, .*0\.\.1\b"),
        ({"std": (0.2, 0.0, 0.2)}, r"std=\(0\.2, 0\.0, 0\.2\) .*std above 0\b"),
        ({"interpolation": "nearest"}, "interpolation='nearest' .*bilinear, bicubic"),
        ({"static_clip": "first"}, "static_clip='first' .*none, single_frame, mean_frame"),
    ],
)
def test_preprocessing_refuses_what_makes_no_sense(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(PLAIN, **change)

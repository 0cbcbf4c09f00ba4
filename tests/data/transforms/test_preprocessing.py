import dataclasses
import json

import pytest
from random_frames import PLAIN

from stvit_video.data.transforms.preprocessing import Preprocessing


def test_preprocessing_survives_a_checkpoint():
    settings = dataclasses.replace(PLAIN, mean=(0.1, 0.2, 0.3))
    assert Preprocessing.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    older = {key: value for key, value in settings.to_dict().items() if key != "interpolation"}
    assert Preprocessing.from_dict(older) == settings  # checkpoints from before it could be chosen
    with pytest.raises(ValueError, match=r"preprocessing has the keys \['num_frames'\], needed are exactly"):
        Preprocessing.from_dict({"num_frames": 3})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_frames": 0}, "num_frames=0 must be a whole number, at least 1"),
        ({"frame_stride": 1.5}, "frame_stride=1.5 must be a whole number, at least 1"),
        ({"crop_size": 15}, "crop_size=15 does not fit short_side=14; make short_side as large"),
        ({"mean": (0.5, 0.5)}, "must be 3 numbers each, for values in 0..1, std above 0"),
        ({"mean": (123.7, 116.3, 103.5)}, "for values in 0..1"),
        ({"std": (0.2, 0.0, 0.2)}, "std above 0"),
        ({"interpolation": "nearest"}, "interpolation='nearest' is unknown; use one of bilinear, bicubic"),
    ],
)
def test_preprocessing_refuses_what_makes_no_sense(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(PLAIN, **change)

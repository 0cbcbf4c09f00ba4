"""Sizes that patches don't tile are named by their setting, with the next ones that they tile."""

from dataclasses import replace

import pytest
from short_models import preprocessing_of, short_model

from stvit_video.exporting.fitting_sizes import require_whole_patches

DEIT, SWIN = "stvit_video_deit_tiny", "stvit_video_swin_tiny"


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"num_frames": 7}, "^num_frames=7 is no multiple of 2, .*; give num_frames=6 or num_frames=8$"),
        ({"num_frames": 1}, "^num_frames=1 is no multiple of 2, .*; give num_frames=2$"),
        ({"crop_size": 15}, "^crop_size=15 is no multiple of 4, .*; give crop_size=12 or crop_size=16$"),
    ],
)
def test_what_does_not_fit_is_told_with_what_fits(sizes, told):
    preprocessing = preprocessing_of(DEIT)
    model = short_model(DEIT)
    require_whole_patches(model, preprocessing)
    with pytest.raises(ValueError, match=told):
        require_whole_patches(model, replace(preprocessing, **sizes))


def test_a_model_that_pads_takes_every_size():
    require_whole_patches(short_model(SWIN), replace(preprocessing_of(SWIN), num_frames=7, crop_size=15))

import pytest

from stvit_video.dense.options import build_options
from stvit_video.dense.segmenter_options import SemanticFpnOptions, UperNetOptions


def test_defaults_are_mmsegs():
    fpn, upernet = SemanticFpnOptions(), UperNetOptions()
    assert (fpn.neck_channels, fpn.head_channels, fpn.dropout) == (256, 128, 0.1)
    assert (upernet.head_channels, upernet.dropout, upernet.pool_cells) == (512, 0.1, (1, 2, 3, 6))
    assert (upernet.auxiliary_channels, upernet.auxiliary_weight) == (256, 0.4)
    assert fpn.window is upernet.window is None


@pytest.mark.parametrize(
    ("kind", "given", "match"),
    [
        (SemanticFpnOptions, {"head_channels": 0}, "head_channels=0"),
        (SemanticFpnOptions, {"neck_channels": 2.5}, "neck_channels=2.5"),
        (SemanticFpnOptions, {"dropout": 1.0}, r"dropout=1.0 .*\[0, 1\)"),
        (SemanticFpnOptions, {"window": 31}, "window=31 .*at least 32"),
        (SemanticFpnOptions, {"window_stride": 20}, "window_stride=20 needs a window: give window=PIXELS, too"),
        (
            UperNetOptions,
            {"window": 64, "window_stride": 65},
            "window_stride=65 .*window=64, .*give window_stride=64 or less",
        ),
        (UperNetOptions, {"pool_cells": (1, 0)}, r"pool_cells=\(1, 0\)"),
        (UperNetOptions, {"auxiliary_weight": -0.1}, "auxiliary_weight=-0.1 .*at least 0"),
        (UperNetOptions, {"auxiliary_channels": "many"}, "auxiliary_channels='many'"),
        (UperNetOptions, {"norm_eval": 1}, "norm_eval=1"),
    ],
)
def test_values_out_of_range(kind, given, match):
    with pytest.raises(ValueError, match=match):
        kind(**given)


def test_plain_values_build_the_same_again():
    options = UperNetOptions(window=64, window_stride=64, pool_cells=[2, 3])
    assert options.plain()["pool_cells"] == [2, 3]
    assert build_options(UperNetOptions, head="upernet", defaults={}, given=options.plain()) == options
    with pytest.raises(ValueError, match="upernet has no option 'neck_channels'"):
        build_options(UperNetOptions, head="upernet", defaults={}, given={"neck_channels": 8})

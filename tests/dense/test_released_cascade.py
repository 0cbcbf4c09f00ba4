"""The released detector of STViT-R, narrow: mmdet's file with the authors' names gives the authors' maps."""

import json

import numpy as np
import pytest
import torch
from drawn_objects import LITTLE
from golden_files import GOLDEN, golden_fill
from mmdet_maker import mmdet_state

from stvit_video.dense import create_dense, load_dense, load_start
from stvit_video.models import CheckpointError

WINDOWS = {"key_window": (14, 14), "center_window": (21, 21), "recover_window": (27, 27)}
WINDOWS |= {"generate_shortcut": True, "block_layer_scale": None}


def cascade(**options):
    return create_dense(
        "cascade_mask_rcnn",
        backbone="stvit_r_swin_small",
        num_classes=3,
        head_rule="mmdet",
        backbone_options={"embed_dim": 24, **options},
        **LITTLE,
    )


@pytest.fixture(scope="module")
def golden():
    return np.load(GOLDEN / "stvit_r_swin_narrow_det.npz")


@pytest.fixture(scope="module")
def file(golden):
    """The heads of a detector of ours with mmdet's names, and the backbone by the authors' names."""
    heads = mmdet_state(cascade(**WINDOWS), backbone_name=str)
    state = {key: value for key, value in heads.items() if not key.startswith("backbone.")}
    for key, shape, dtype in json.loads(str(golden["meta"]))["keys"]:
        if "float" in dtype and not key.endswith("attn_mask"):
            state[f"backbone.{key}"] = golden_fill().tensor_for(key, shape)
    return {"state_dict": state, "meta": {"CLASSES": ("a", "b", "c")}}


@torch.no_grad()
def test_maps_of_the_backbone_are_the_authors(golden, file):
    detector = cascade(**WINDOWS).eval()
    report = load_dense(detector, file)
    assert report.format == "mmdet cascade_mask_rcnn"
    assert report.new == report.interpolated == ()
    left = set(detector.state_dict()) - set(report.loaded)
    assert all(key.endswith("num_batches_tracked") for key in left)
    inputs = json.loads(str(golden["meta"]))["inputs"]
    for n, one in enumerate(inputs[:2]):
        picture = golden_fill().image(one["shape"], one["seed"])
        for level, found in enumerate(detector.backbone(picture)):
            wanted = golden[f"i{n}_p{level}"]
            assert np.abs(found.numpy() - wanted).max() <= 1e-4 * np.abs(wanted).max()


def test_the_global_network_refuses_the_windowed_weights(file):
    for load in (load_dense, load_start):
        with pytest.raises(CheckpointError, match="center_window"):
            load(cascade(generate_shortcut=True, block_layer_scale=None), file)

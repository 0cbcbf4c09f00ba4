"""Which peers are chosen, at which input, and beside which dense model."""

import pytest

from stvit_video.model_benchmark.own_rows import own_rows
from stvit_video.model_benchmark.peer_rows import PEERS, choose_peers, peer_rows

SIZES = {"num_frames": 8, "image_size": (64, 96)}
CLIPS = [name for name, peer in PEERS.items() if len(peer.own_input) == 3]


def test_names_libraries_and_patterns():
    assert choose_peers(["none"]) == []
    assert choose_peers(["x3d_m", "x3d_*"]) == ["x3d_m", "x3d_s"]
    assert choose_peers(["pytorchvideo"]) == ["x3d_s", "x3d_m", "slow_r50", "slowfast_r50"]
    assert choose_peers(["timm_deit_*"]) == ["timm_deit_tiny", "timm_deit_small", "timm_deit_base"]
    with pytest.raises(ValueError, match=r"'swin3d_x' .*torchvision.*swin3d_t"):
        choose_peers(["x3d_s", "swin3d_x"])


def test_without_a_choice_the_peers_of_the_same_kind():
    ours = own_rows(["stvit_video_deit_tiny"], **SIZES)
    rows = peer_rows(None, ours, **SIZES)
    assert [row.name for row in rows] == CLIPS
    assert {row.baseline for row in rows} == {"video_deit_tiny, joint"}
    rows = peer_rows(None, own_rows(["stvit_swin_small", "deit_tiny"], **SIZES), **SIZES)
    assert [(row.label, row.baseline) for row in rows] == [
        ("timm_deit_tiny (timm)", "deit_tiny"),
        ("timm_swin_small (timm)", "swin_small"),
    ]


def test_a_named_peer_brings_its_dense_model():
    rows = peer_rows(["timm_swin_tiny", "s3d", "r3d_18"], [], **SIZES)
    assert [row.label for row in rows] == [
        "swin_tiny",
        "video_deit_small, joint",
        "timm_swin_tiny (timm)",
        "s3d (torchvision)",
        "r3d_18 (torchvision)",
    ]
    assert [row.is_ours for row in rows] == [True, True, False, False, False]
    assert rows[3].baseline == "video_deit_small, joint"


def test_the_input_is_the_one_asked_for_unless_it_is_the_peers_name():
    rows = {row.name: row for row in peer_rows(["x3d_*", "timm_deit_tiny", "vivit_base"], [], **SIZES)}
    assert (rows["x3d_s"].input_size, rows["x3d_s"].own_input) == ((13, 160, 160), (13, 160, 160))
    assert (rows["x3d_m"].input_size, rows["x3d_m"].own_input) == ((8, 64, 96), (16, 224, 224))
    assert (rows["vivit_base"].input_size, rows["vivit_base"].own_input) == ((8, 64, 96), (32, 224, 224))
    assert rows["timm_deit_tiny"].input_size == (64, 96)

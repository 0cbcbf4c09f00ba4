"""UPerNet against transformers' heads, whose weights have mmsegmentation's names but for two."""

import pytest
import torch
from drawn_maps import shaken, three_maps, tiny_segmenter
from torch import nn
from transformers import UperNetConfig
from transformers.models.upernet.modeling_upernet import UperNetFCNHead
from transformers.models.upernet.modeling_upernet import UperNetHead as TheirHead

from stvit_video.dense.formats import convert_mmseg
from stvit_video.dense.segmenter_options import UperNetOptions
from stvit_video.dense.upernet import FcnHead, UperNetHead

CHANNELS = (5, 6, 7, 9)


def renamed(state, prefix):
    """Weights of a head of transformers with our names, by way of mmsegmentation's."""
    names = {"batch_norm.": "bn.", "classifier.": "conv_seg."}
    theirs = {}
    for key, value in state.items():
        for name, mmsegs in names.items():
            key = key.replace(name, mmsegs)
        theirs[f"{prefix}.{key}"] = value
    return {key.split(".", 1)[1]: value for key, value in convert_mmseg(theirs).items()}


def config(**changes):
    return UperNetConfig(
        backbone_config={"model_type": "resnet"}, hidden_size=11, num_labels=4, auxiliary_channels=6, **changes
    )


@pytest.mark.parametrize("cells", [(1, 2, 3, 6), (1, 4)])
@pytest.mark.parametrize("finest", [(24, 16), (40, 72), (8, 8)])
def test_transformers_head(cells, finest):
    torch.manual_seed(0)
    theirs = shaken(TheirHead(config(pool_scales=list(cells)), CHANNELS))
    ours = UperNetHead(CHANNELS, 4, options=UperNetOptions(head_channels=11, pool_cells=cells)).eval()
    ours.load_state_dict(renamed(theirs.state_dict(), "decode_head"))
    height, width = finest
    maps = [torch.randn(2, channels, height // 2**i, width // 2**i) for i, channels in enumerate(CHANNELS)]
    with torch.no_grad():
        torch.testing.assert_close(ours(maps), theirs(maps), atol=1e-5, rtol=1e-5)


def test_transformers_auxiliary_head():
    torch.manual_seed(0)
    theirs = shaken(UperNetFCNHead(config(auxiliary_in_channels=7, auxiliary_num_convs=1), CHANNELS))
    ours = FcnHead(7, 6, 4, dropout=0.1).eval()
    ours.load_state_dict(renamed(theirs.state_dict(), "auxiliary_head"))
    maps = [torch.randn(2, channels, 5, 8) for channels in CHANNELS]
    with torch.no_grad():
        torch.testing.assert_close(ours(maps[2]), theirs(maps), atol=1e-5, rtol=1e-5)


def test_the_auxiliary_head_is_trained_with_its_weight_and_can_be_left_out():
    batch = three_maps()
    losses = {}
    for weight in (0.0, 0.4, 0.8):
        model = tiny_segmenter("upernet", auxiliary_weight=weight, dropout=0.0)
        assert any(key.startswith("auxiliary_head.") for key in model.state_dict()) == bool(weight)
        assert ("auxiliary" in model.outputs(*batch[:2])) == bool(weight)
        losses[weight] = model.losses(*batch)
    assert set(losses[0.0]) == {"loss_map"}
    torch.testing.assert_close(losses[0.8]["loss_auxiliary"], 2 * losses[0.4]["loss_auxiliary"])
    model = tiny_segmenter("upernet", auxiliary_weight=1.0).eval()
    pictures, sizes, maps = batch
    logits = model.outputs(pictures, sizes)["auxiliary"]
    assert logits.shape == (3, 3, 4, 6)
    whole = nn.functional.interpolate(logits, size=(64, 96), mode="bilinear", align_corners=False)
    wanted = nn.functional.cross_entropy(whole, maps, ignore_index=255)
    torch.testing.assert_close(model.losses(*batch)["loss_auxiliary"], wanted)


def test_one_picture_is_too_few_for_a_step_of_the_training():
    pictures, sizes, maps = three_maps()
    model = tiny_segmenter("upernet")
    with pytest.raises(ValueError, match="one picture .*head=upernet.*data.batch_size=2.*head=semantic_fpn"):
        model.losses(pictures[:1], sizes[:1], maps[:1])
    assert model.eval().losses(pictures[:1], sizes[:1], maps[:1])["loss_map"].isfinite()
    without = tiny_segmenter("upernet", pool_cells=(2, 3)).train()
    assert without.losses(pictures[:1], sizes[:1], maps[:1])["loss_map"].isfinite()


def test_one_picture_a_process_is_enough_where_processes_share_their_statistics(monkeypatch):
    plain = tiny_segmenter("upernet").train()
    shared = nn.SyncBatchNorm.convert_sync_batchnorm(tiny_segmenter("upernet")).train()
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    for model, num_processes in ((plain, 2), (shared, 1)):
        monkeypatch.setattr(torch.distributed, "get_world_size", lambda number=num_processes: number)
        with pytest.raises(ValueError, match="one picture"):
            model.check_batch(1)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    shared.check_batch(1)
    plain.check_batch(2)

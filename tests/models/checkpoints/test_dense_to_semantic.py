import pytest
import torch

from stvit_video.models import create_model, load_checkpoint

SMALL = {"embed_dim": 8, "num_heads": 2, "depth": 5, "image_size": 16, "patch_size": 4, "num_classes": 3}
CAS = {"embed_dims": (8, 8, 16, 16), "depths": (1, 1, 4, 1), "image_size": 64, "num_classes": 3}
SWIN = {"embed_dim": 8, "num_heads": (1, 2, 2, 4), "depths": (2, 2, 6, 2), "image_size": 64, "num_classes": 3}


def images():
    torch.manual_seed(0)
    return create_model("deit_tiny", **SMALL).eval()


def test_dense_layers_fill_a_semantic_model_one_by_one():
    dense, semantic = images(), create_model("stvit_deit_tiny", **SMALL, generate_at=1, num_tokens=4)
    report = load_checkpoint(semantic, dense.state_dict())
    generator = semantic.blocks[1]
    qkv = dense.blocks[2].attn.qkv.weight
    assert torch.equal(generator.layers[1].attn.q.weight, qkv[:8])
    assert torch.equal(generator.layers[1].attn.kv.weight, qkv[8:])
    assert torch.equal(generator.layers[0].mlp.fc1.weight, dense.blocks[1].mlp.fc1.weight)
    assert torch.equal(semantic.blocks[3].attn.proj.bias, dense.blocks[4].attn.proj.bias)
    assert torch.equal(semantic.pos_embed, dense.pos_embed[:, 1:])
    gains = [f"blocks.1.layers.{i}.ls{j}.gamma" for i in (0, 1) for j in (1, 2)]
    assert sorted(report.new) == sorted([*gains, "blocks.1.centres"])
    assert report.unused == ("cls_token",)


@pytest.mark.parametrize("reducer", ["random", "pool", "tome"])
def test_dense_layers_fill_a_baseline_without_a_rest(reducer):
    dense = images()
    model = create_model("stvit_deit_tiny", **SMALL, generate_at=2, num_tokens=4, reducer=reducer)
    report = load_checkpoint(model, dense.state_dict())
    assert report.new == ()
    assert torch.equal(model.blocks[3].attn.qkv.weight, dense.blocks[2].attn.qkv.weight)
    again = load_checkpoint(model, model.state_dict())
    assert set(again.loaded) == set(model.state_dict())


def test_a_semantic_model_that_lacks_layers_of_a_dense_one_is_refused():
    dense, shallow = images(), create_model("stvit_deit_tiny", **SMALL | {"depth": 4}, generate_at=1, num_tokens=4)
    with pytest.raises(ValueError, match=r"33 .*missing: blocks.1.centres.*; 37 .*not the model's"):
        load_checkpoint(shallow, dense.state_dict())


def test_windows_of_a_dense_swin_fill_a_semantic_one():
    dense, semantic = create_model("swin_tiny", **SWIN), create_model("stvit_swin_tiny", **SWIN, num_tokens=4)
    report = load_checkpoint(semantic, dense.state_dict())
    theirs = dense.levels[2].blocks
    assert torch.equal(semantic.levels[2].blocks[2].layers[0].attn.kv.weight, theirs[2].attn.qkv.weight[32:])
    assert torch.equal(semantic.levels[2].blocks[4].attn.qkv.weight, theirs[5].attn.qkv.weight)
    assert torch.equal(semantic.levels[3].blocks[1].mlp.fc2.weight, dense.levels[3].blocks[1].mlp.fc2.weight)
    tables = [f"levels.2.blocks.{i}.attn.bias_table" for i in (2, 3, 4, 5)]
    assert sorted(report.unused) == sorted([*tables, *(f"levels.3.blocks.{i}.attn.bias_table" for i in (0, 1))])
    assert all(key.startswith("levels.2.blocks.2.") for key in report.new)


def test_mixers_have_nothing_for_attention():
    dense, semantic = create_model("casvit_xs", **CAS), create_model("stvit_casvit_xs", **CAS, num_tokens=4)
    report = load_checkpoint(semantic, dense.state_dict())
    assert {key.split(".")[3] for key in report.new} == {"1"}
    assert {key.split(".")[3] for key in report.unused} == {"1", "2"}
    ours, theirs = semantic.levels[2].blocks[2], dense.levels[2].blocks[3]
    assert torch.equal(ours.mixer.qkv.weight, theirs.mixer.qkv.weight)


def test_a_mixer_too_many_is_named():
    dense = create_model("casvit_xs", **CAS | {"depths": (1, 1, 5, 1)})
    video = create_model("stvit_video_casvit_xs", **CAS, num_frames=3, num_tokens=4)
    with pytest.raises(ValueError, match=r"missing: levels.2.blocks.1.centres.*not the model's"):
        load_checkpoint(video, dense.state_dict())


@pytest.mark.parametrize("prefix", ["stvit_", "stvit_r_"])
def test_joint_blocks_of_a_video_casvit_stay_new_behind_image_weights(prefix):
    torch.manual_seed(0)
    image = create_model(f"{prefix}casvit_xs", **CAS, num_tokens=(2, 2)).eval()
    video = create_model(f"{prefix}video_casvit_xs", **CAS, num_frames=3, num_tokens=(3, 2, 2)).eval()
    report = load_checkpoint(video, image.state_dict())
    assert {key[:18] for key in report.new} == {"levels.2.blocks.3."}
    assert set(report.inflated) == {"temporal_pos_embed", "levels.2.blocks.1.centres"}
    assert not report.unused
    picture = torch.randn(2, 3, 64, 64)
    still = picture[:, :, None].expand(-1, -1, 3, -1, -1)
    torch.testing.assert_close(video(still), image(picture), rtol=1e-3, atol=1e-4)  # new blocks have gains of 1e-5

"""Parity with transformers' ViT, from its files and from memory, and what of its relatives is taken or refused."""

import pytest
import timm
import torch
import transformers

from stvit_video.models import CheckpointError, create_model, load_checkpoint

SIZES = {"embed_dim": 24, "num_heads": 3, "depth": 4, "num_classes": 5, "image_size": 48, "patch_size": 16}
THEIRS = {"hidden_size": 24, "num_attention_heads": 3, "num_hidden_layers": 4, "intermediate_size": 96} | {
    "image_size": 48,
    "patch_size": 16,
    "num_labels": 5,
}
PARTS_IN_FILES = {  # as transformers' files name what its version 5 names otherwise in memory
    "layers.": "encoder.layer.",
    "attention.q_proj": "attention.attention.query",
    "attention.k_proj": "attention.attention.key",
    "attention.v_proj": "attention.attention.value",
    "attention.o_proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}


def theirs(name, config="ViTConfig", **changes):
    """A model of transformers with weights that all matter: gains and biases would start at 1 and 0."""
    torch.manual_seed(0)
    model = getattr(transformers, name)(getattr(transformers, config)(**THEIRS | changes))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def with_other_names(state):
    """The state dict with the names of files where it has those of memory, and the other way round."""
    renamed = {}
    for key, value in state.items():
        in_file = ".attention.attention." in key or "encoder.layer." in key
        for memory, file in PARTS_IN_FILES.items():
            key = key.replace(file, memory) if in_file else key.replace(memory, file)
        renamed[key] = value
    return renamed


def assert_equal_to_1e_4(ours, wanted):
    assert ours.shape == wanted.shape
    assert (ours - wanted).abs().max() <= 1e-4 * wanted.abs().max()


@pytest.mark.parametrize("way", ["state dict", "other names", "folder", "pytorch_model.bin"])
@torch.no_grad()
def test_image_vit(tmp_path, way):
    vit, ours = theirs("ViTForImageClassification"), create_model("deit_base", **SIZES).eval()
    vit.save_pretrained(tmp_path)
    source = {"state dict": vit.state_dict(), "other names": with_other_names(vit.state_dict())}.get(way, tmp_path)
    if way == "pytorch_model.bin":
        (tmp_path / "model.safetensors").unlink()
        torch.save(vit.state_dict(), tmp_path / way)
    report = load_checkpoint(ours, source)
    assert report.format == "transformers ViT"
    assert report.new == report.unused == report.interpolated == ()
    picture = torch.randn(2, 3, 48, 48)
    assert_equal_to_1e_4(ours(picture), vit(picture).logits)


@torch.no_grad()
def test_a_still_clip_gives_the_logits_of_the_image():
    vit, ours = theirs("ViTForImageClassification"), create_model("video_deit_base", **SIZES, num_frames=6).eval()
    assert "patch_embed.proj.weight" in load_checkpoint(ours, vit.state_dict()).inflated
    picture = torch.randn(2, 3, 48, 48)
    assert_equal_to_1e_4(ours(picture.unsqueeze(2).expand(-1, -1, 6, -1, -1)), vit(picture).logits)


@torch.no_grad()
def test_projections_without_bias():
    vit = theirs("ViTForImageClassification", qkv_bias=False)
    ours = create_model("deit_base", **SIZES, qkv_bias=False).eval()
    load_checkpoint(ours, vit.state_dict())
    picture = torch.randn(2, 3, 48, 48)
    assert_equal_to_1e_4(ours(picture), vit(picture).logits)


@pytest.mark.parametrize(
    ("name", "config", "changes"),
    [
        ("ViTModel", "ViTConfig", {}),
        ("ViTForMaskedImageModeling", "ViTConfig", {}),
        ("ViTMAEForPreTraining", "ViTMAEConfig", {"decoder_num_hidden_layers": 1}),
        ("ViTForImageClassification", "ViTConfig", {"num_labels": 7}),
    ],
)
def test_what_has_no_head_for_our_classes_gives_the_rest(name, config, changes):
    vit, ours = theirs(name, config, **changes), create_model("stvit_video_deit_base", **SIZES, generate_at=1)
    report = load_checkpoint(ours, vit.state_dict())
    assert report.format == "transformers ViT"
    assert {"head.weight", "head.bias"} <= set(report.new)
    assert torch.equal(
        ours.norm.weight, vit.get_submodule("layernorm" if name == "ViTModel" else "vit.layernorm").weight
    )


@pytest.mark.parametrize("name", ["DeiTForImageClassificationWithTeacher", "DeiTForImageClassification"])
def test_a_distilled_deit_is_taken_without_its_head(name):
    deit, ours = theirs(name, "DeiTConfig"), create_model("deit_base", **SIZES)
    with pytest.raises(CheckpointError, match=r"distillation token.* init_head=new.* new_head=True"):
        load_checkpoint(ours, deit.state_dict())
    report = load_checkpoint(ours, deit.state_dict(), new_head=True)
    assert set(report.new) == {"head.weight", "head.bias"}
    assert "dist_token" in report.unused
    table = deit.deit.embeddings.position_embeddings
    assert torch.equal(ours.pos_embed, torch.cat([table[:, :1], table[:, 2:]], dim=1))


def test_timms_distilled_deit_likewise():
    deit = timm.models.deit.VisionTransformerDistilled(
        img_size=48, patch_size=16, embed_dim=24, depth=4, num_heads=3, num_classes=5
    )
    ours = create_model("deit_base", **SIZES)
    assert load_checkpoint(ours, deit.state_dict(), new_head=True).format == "timm DeiT"
    assert torch.equal(ours.pos_embed[:, 1:], deit.pos_embed[:, 2:])


def test_videomae_with_the_names_that_vit_has_in_memory():
    videomae = theirs("VideoMAEForVideoClassification", "VideoMAEConfig", num_frames=6)
    sizes = SIZES | {"num_frames": 6, "base_attention": "joint"}
    ours, again = (create_model("video_deit_base", **sizes) for _ in range(2))
    load_checkpoint(ours, videomae.state_dict())
    assert load_checkpoint(again, with_other_names(videomae.state_dict())).format == "transformers VideoMAE"
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in ours.state_dict().items())


def test_a_layer_without_keys_is_missed():
    state = theirs("ViTForImageClassification").state_dict()
    cut = {key: value for key, value in state.items() if not key.endswith(("k_proj.weight", "key.weight"))}
    with pytest.raises(CheckpointError, match=r"missing: blocks\.0\.attn\.qkv"):
        load_checkpoint(create_model("deit_base", **SIZES), cut)

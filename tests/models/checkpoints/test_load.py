import pytest
import torch
from safetensors.torch import save_file

from stvit_video.models import CheckpointError, create_model, load_checkpoint, model_from_checkpoint
from stvit_video.models.checkpoints import load
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.grids import position_grid
from stvit_video.models.checkpoints.load import check_weights
from stvit_video.models.checkpoints.metadata import METADATA_KEY, checkpoint_metadata
from stvit_video.models.registry import build_model

OPTIONS = {
    "num_classes": 3,
    "embed_dim": 8,
    "num_heads": 2,
    "depth": 4,
    "generate_at": 1,
    "image_size": 16,
    "patch_size": 4,
    "num_frames": 4,
    "num_tokens": 8,
}
NAME = "stvit_video_deit_tiny"


def our_checkpoint(model, *, options=OPTIONS, **changes):
    metadata = checkpoint_metadata(
        model_name=NAME,
        model_options=options,
        classes=("a", "b", "c"),
        preprocessing={"num_frames": 4},
        protocol={"num_clips": 1, "num_crops": 3, "average": "prob"},
        config={"seed": 0},
        position_grid=position_grid(model),
    )
    state = {f"model.{key}": value for key, value in model.state_dict().items()}
    return {"state_dict": state | {"val_top1.tp": torch.zeros(1)}, METADATA_KEY: metadata} | changes


def test_round_trip_through_a_file(tmp_path):
    model = create_model(NAME, **OPTIONS).eval()
    torch.save(our_checkpoint(model), tmp_path / "run.ckpt")
    loaded, metadata = model_from_checkpoint(tmp_path / "run.ckpt")
    clip = torch.randn(2, 3, 4, 16, 16)
    torch.testing.assert_close(loaded(clip), model(clip))
    assert not loaded.training
    assert metadata["classes"] == ["a", "b", "c"]
    assert metadata["versions"]["torch"] == str(torch.__version__)


def test_report_of_a_plain_state_dict():
    model = create_model(NAME, **OPTIONS)
    report = load_checkpoint(model, model.state_dict())
    assert report.format == "stvit_video state dict"
    assert set(report.loaded) == set(model.state_dict())
    assert str(report) == f"stvit_video state dict: {len(model.state_dict())} tensors loaded"


def test_centres_are_resized_to_another_token_count():
    trained = create_model(NAME, **OPTIONS)
    model = create_model(NAME, **{**OPTIONS, "num_tokens": (1, 3, 3)}).eval()
    report = load_checkpoint(model, trained.state_dict())
    assert report.interpolated == ("blocks.1.centres",)
    assert "1 interpolated (blocks.1.centres)" in str(report)
    assert model(torch.randn(1, 3, 4, 16, 16)).isfinite().all()


def test_another_model_is_refused_with_the_keys():
    deeper = create_model(NAME, **{**OPTIONS, "depth": 5})
    semantic = create_model(NAME, **OPTIONS)
    before = {key: value.clone() for key, value in semantic.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"another model: 12 .*not the model's: blocks.3.attn.proj.bias, "):
        load_checkpoint(semantic, deeper.state_dict())
    assert all(torch.equal(value, before[key]) for key, value in semantic.state_dict().items())
    with pytest.raises(CheckpointError, match=r"another model: 12 .*missing: blocks.3.attn.proj"):
        load_checkpoint(deeper, semantic.state_dict())


def test_backbone_that_is_not_there_is_no_backbone():
    semantic = create_model(NAME, **OPTIONS)
    with pytest.raises(CheckpointError, match="another model: .*missing: blocks.0.attn.proj.bias, "):
        load_checkpoint(semantic, {"head.weight": torch.zeros(3, 8), "head.bias": torch.zeros(3)})


def test_head_for_another_number_of_classes_stays_new():
    model = create_model(NAME, **OPTIONS)
    fresh = model.head.weight.clone()
    report = load_checkpoint(model, create_model(NAME, **{**OPTIONS, "num_classes": 7}).state_dict())
    assert report.new == report.unused == ("head.weight", "head.bias")
    assert str(report).endswith(", 2 new (head.weight, head.bias), 2 unused (head.weight, head.bias)")
    assert torch.equal(model.head.weight, fresh)


def test_new_head_for_other_classes_of_the_same_number():
    trained, model = create_model(NAME, **OPTIONS), create_model(NAME, **OPTIONS)
    fresh = model.head.weight.clone()
    report = load_checkpoint(model, our_checkpoint(trained), new_head=True)
    assert report.new == ("head.weight", "head.bias")
    assert torch.equal(model.head.weight, fresh)
    assert torch.equal(model.norm.weight, trained.norm.weight)
    assert torch.equal(model.blocks[0].attn.qkv.weight, trained.blocks[0].attn.qkv.weight)


def test_safetensors(tmp_path):
    trained, model = create_model(NAME, **OPTIONS), create_model(NAME, **OPTIONS)
    save_file(trained.state_dict(), tmp_path / "weights.safetensors")
    report = load_checkpoint(model, tmp_path / "weights.safetensors")
    assert set(report.loaded) == set(trained.state_dict())
    assert torch.equal(model.head.weight, trained.head.weight)
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "weights.safetensors").read_bytes()[:100])
    with pytest.raises(CheckpointError, match="cut.safetensors' is no checkpoint .*no whole file"):
        read_checkpoint(tmp_path / "cut.safetensors")


def test_weights_of_another_family_say_which_models_take_them():
    swin = {"patch_embed.proj.weight": torch.zeros(4, 3, 4, 4), "layers.0.downsample.reduction.weight": torch.zeros(1)}
    swin["layers.0.blocks.0.attn.relative_position_bias_table"] = torch.zeros(9, 1)
    with pytest.raises(CheckpointError, match="Microsoft Swin, which fit models with swin in .* weights of deit$"):
        load_checkpoint(create_model(NAME, **OPTIONS), swin)


def test_weights_of_others_in_place_of_a_run_are_named(tmp_path):
    patches, layer = "embeddings.patch_embeddings.projection.weight", "encoder.layer.0.attention.attention.query.weight"
    vit = {f"vit.{key}": torch.zeros(1, 1, 1, 1) for key in (patches, layer)}
    vit |= {f"vit.embeddings.{name}": torch.zeros(1) for name in ("cls_token", "position_embeddings")}
    torch.save(vit, tmp_path / "vit.bin")
    torch.save({"layer1.0.conv1.weight": torch.zeros(1)}, tmp_path / "resnet.bin")
    with pytest.raises(CheckpointError, match=r"vit.bin' \(weights of transformers ViT\) .*which model .*init_from="):
        model_from_checkpoint(tmp_path / "vit.bin")
    with pytest.raises(CheckpointError, match=r"resnet.bin' \(.*a ResNet, .*which model .*init_from="):
        model_from_checkpoint(tmp_path / "resnet.bin")


def test_weights_without_metadata_do_not_say_their_model(tmp_path):
    torch.save(create_model(NAME, **OPTIONS).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="weights.pt' .*which model .*load_checkpoint"):
        model_from_checkpoint(tmp_path / "weights.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"name": "stvit_future", "options": {}}}, "built: no model is named 'stvit_future'.* this is "),
        ({"model": {"name": NAME, "options": {"shiny": 3}}}, "no option 'shiny'.*written by stvit_video "),
        ({"model": {"name": NAME, "options": OPTIONS | {"num_tokens": "8"}}}, "num_tokens='8' is no number of tokens"),
        ({"classes": None}, r"lacks .*: classes \(no list\)"),
        ({"model": {}}, r"lacks .*: model.name \(no str\)"),
        ({"classes": ["a", "b"]}, "2 classes for 3 logits"),
        ({"format": 0}, "which model it holds .*format 1"),
        ({"format": 2}, r"is of format 2, written by stvit_video \S+, .* reads format 1; install a newer stvit_video$"),
    ],
)
def test_metadata_that_is_broken_or_of_another_version(tmp_path, change, message):
    content = our_checkpoint(create_model(NAME, **OPTIONS))
    content[METADATA_KEY] |= change
    torch.save(content, tmp_path / "run.ckpt")
    with pytest.raises(CheckpointError, match=f"run.ckpt'.*{message}"):
        model_from_checkpoint(tmp_path / "run.ckpt")


@pytest.mark.parametrize("content", [{"state_dict": 5}, {"head.weight": "text"}, {}, None, 5])
def test_contents_that_are_no_weights(content):
    model = create_model(NAME, **OPTIONS)
    with pytest.raises(CheckpointError, match=r"state_dict' is of type int|state dict holds|is no checkpoint"):
        load_checkpoint(model, content)
    with pytest.raises(CheckpointError):
        check_weights(model, content)


def test_tables_are_resized_to_another_clip_size():
    torch.manual_seed(0)
    trained = create_model(NAME, **OPTIONS).eval()
    model = create_model(NAME, **{**OPTIONS, "num_frames": 8, "image_size": (20, 24)}).eval()
    report = load_checkpoint(model, our_checkpoint(trained))
    assert set(report.interpolated) == {"pos_embed", "temporal_pos_embed"}
    assert not set(report.interpolated) & set(report.loaded)
    clip = torch.randn(2, 3, 8, 20, 24)
    torch.testing.assert_close(model(clip), trained(clip))  # which resizes the same tables as it runs


def test_grid_of_as_many_tokens_but_another_shape():
    wide, high = ({**OPTIONS, "num_tokens": (2, 2, 2), "image_size": size} for size in [(16, 32), (32, 16)])
    trained, model = create_model(NAME, **wide).eval(), create_model(NAME, **high).eval()
    assert load_checkpoint(model, our_checkpoint(trained, options=wide)).interpolated == ("pos_embed",)
    clip = torch.randn(2, 3, 4, 32, 16)
    torch.testing.assert_close(model(clip), trained(clip))


def test_positions_of_a_joint_model_over_another_clip():
    joint = {**OPTIONS, "base_attention": "joint"}
    trained = create_model(NAME, **joint).eval()
    model = create_model(NAME, **{**joint, "num_frames": 6, "image_size": 20}).eval()
    assert load_checkpoint(model, our_checkpoint(trained, options=joint)).interpolated == ("pos_embed",)
    clip = torch.randn(2, 3, 6, 20, 20)
    torch.testing.assert_close(model(clip), trained(clip))


def test_positions_of_single_frames_in_a_plain_state_dict_are_over_a_square():
    trained = create_model(NAME, **OPTIONS).eval()
    model = create_model(NAME, **{**OPTIONS, "image_size": 24}).eval()
    assert load_checkpoint(model, trained.state_dict()).interpolated == ("pos_embed",)
    clip = torch.randn(2, 3, 4, 24, 24)
    torch.testing.assert_close(model(clip), trained(clip))  # which resizes the same table as it runs


def test_positions_of_a_joint_model_in_a_plain_state_dict_may_be_over_more_frames():
    joint = {**OPTIONS, "base_attention": "joint"}
    trained = create_model(NAME, **joint).eval()
    longer = create_model(NAME, **{**joint, "num_frames": 8}).eval()
    assert load_checkpoint(longer, trained.state_dict()).interpolated == ("pos_embed",)
    clip = torch.randn(2, 3, 8, 16, 16)
    torch.testing.assert_close(longer(clip), trained(clip))
    other = create_model(NAME, **{**joint, "image_size": 24})
    with pytest.raises(CheckpointError, match="pos_embed .*grid of its pos_embed is not known"):
        load_checkpoint(other, trained.state_dict())


def test_positions_of_frame_and_joint_models_do_not_fit():
    joint = {**OPTIONS, "base_attention": "joint"}
    content = our_checkpoint(create_model(NAME, **joint), options=joint)
    with pytest.raises(CheckpointError, match=r"grid \(2, 4, 4\) .*\(4, 4\) .*base_attention"):
        load_checkpoint(create_model(NAME, **OPTIONS), content)


@pytest.mark.parametrize("of_before", [False, True])
def test_looking_for_the_grid_draws_no_random_numbers(of_before):
    content = our_checkpoint(create_model(NAME, **OPTIONS))
    if of_before:
        del content[METADATA_KEY]["position_grid"]
    model = create_model(NAME, **OPTIONS)
    before = torch.get_rng_state()
    load_checkpoint(model, content)
    assert torch.equal(torch.get_rng_state(), before)


def test_check_weights_wants_exact_shapes_and_loads_nothing():
    trained, model = create_model(NAME, **OPTIONS), create_model(NAME, **OPTIONS)
    fresh = model.head.weight.clone()
    check_weights(model, our_checkpoint(trained))
    assert torch.equal(model.head.weight, fresh)
    with pytest.raises(CheckpointError, match="1 .*another shape: temporal_pos_embed"):
        check_weights(create_model(NAME, **{**OPTIONS, "num_frames": 8}), our_checkpoint(trained))
    with pytest.raises(CheckpointError, match="2 .*another shape: head.weight"):
        check_weights(create_model(NAME, **{**OPTIONS, "num_classes": 5}), our_checkpoint(trained))


@pytest.mark.parametrize(("of_before", "num_built"), [(False, 1), (True, 3)])
def test_a_checkpoint_that_holds_its_grid_takes_one_model_to_load(tmp_path, monkeypatch, of_before, num_built):
    """Checkpoints up to commit 032b145 tell the grid by their model alone, which is then built once more."""
    content = our_checkpoint(create_model(NAME, **OPTIONS))
    if of_before:
        del content[METADATA_KEY]["position_grid"]
    torch.save(content, tmp_path / "run.ckpt")
    built = []
    monkeypatch.setattr(load, "build_model", lambda name, **options: built.append(name) or build_model(name, **options))
    model_from_checkpoint(tmp_path / "run.ckpt")
    assert len(built) == num_built

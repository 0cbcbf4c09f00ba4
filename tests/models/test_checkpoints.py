import pytest
import torch

from stvit_video.models import CheckpointError, create_model, load_checkpoint, model_from_checkpoint
from stvit_video.models.checkpoints import METADATA_KEY, checkpoint_metadata, read_checkpoint

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


def our_checkpoint(model, **changes):
    metadata = checkpoint_metadata(
        model_name=NAME,
        model_options=OPTIONS,
        classes=("a", "b", "c"),
        preprocessing={"num_frames": 4},
        protocol={"num_clips": 1},
        config={"seed": 0},
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
    dense = create_model("video_deit_tiny", **{k: v for k, v in OPTIONS.items() if k != "num_tokens"})
    semantic = create_model(NAME, **OPTIONS)
    before = {key: value.clone() for key, value in semantic.state_dict().items()}
    with pytest.raises(
        CheckpointError, match="another model: .* keys are missing: blocks.1.centres.*are not the model's"
    ):
        load_checkpoint(semantic, dense.state_dict())
    assert all(torch.equal(value, before[key]) for key, value in semantic.state_dict().items())


def test_another_class_count_is_refused_with_the_shapes():
    model = create_model(NAME, **OPTIONS)
    other = create_model(NAME, **{**OPTIONS, "num_classes": 7})
    with pytest.raises(CheckpointError, match=r"2 have another shape: head.weight \(7, 8\) instead of \(3, 8\)"):
        load_checkpoint(model, other.state_dict())


def test_new_head_for_other_classes():
    trained = create_model(NAME, **OPTIONS)
    model = create_model(NAME, **{**OPTIONS, "num_classes": 7})
    fresh = model.head.weight.clone()
    report = load_checkpoint(model, our_checkpoint(trained), new_head=True)
    assert report.new == ("head.weight", "head.bias")
    assert str(report).endswith("tensors loaded, 2 new (head.weight, head.bias)")
    assert torch.equal(model.head.weight, fresh)
    assert torch.equal(model.norm.weight, trained.norm.weight)
    assert torch.equal(model.blocks[0].attn.qkv.weight, trained.blocks[0].attn.qkv.weight)


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint file .*missing.ckpt'; give the path"):
        read_checkpoint(tmp_path / "missing.ckpt")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 broken zip"])
def test_file_that_is_no_checkpoint(tmp_path, content):
    (tmp_path / "bad.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match="bad.ckpt' is no checkpoint that loads safely"):
        read_checkpoint(tmp_path / "bad.ckpt")


class Harmful:
    def __reduce__(self):
        return (print, ("code of a stranger",))


def test_code_in_a_checkpoint_is_not_run(tmp_path, capsys):
    torch.save({"state_dict": Harmful()}, tmp_path / "harmful.ckpt")
    with pytest.raises(CheckpointError, match="is no checkpoint that loads safely"):
        read_checkpoint(tmp_path / "harmful.ckpt")
    assert capsys.readouterr().out == ""


def test_file_that_holds_something_else(tmp_path):
    torch.save(torch.zeros(3), tmp_path / "tensor.pt")
    with pytest.raises(CheckpointError, match="holds a Tensor, not a dictionary of tensors"):
        read_checkpoint(tmp_path / "tensor.pt")


def test_weights_without_metadata_do_not_say_their_model(tmp_path):
    torch.save(create_model(NAME, **OPTIONS).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="does not say which model it holds .* use load_checkpoint"):
        model_from_checkpoint(tmp_path / "weights.pt")

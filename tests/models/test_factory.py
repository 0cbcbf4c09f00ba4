import pytest
import torch

from stvit_video.models import CheckpointError, create_model
from stvit_video.models.checkpoints.files import write_safetensors
from stvit_video.models.checkpoints.grids import position_grid
from stvit_video.models.checkpoints.metadata import checkpoint_metadata

TINY = {
    "num_classes": 3,
    "embed_dim": 8,
    "num_heads": 2,
    "depth": 4,
    "generate_at": 1,
    "image_size": 16,
    "patch_size": 4,
}


def exported(folder, name="stvit_video_deit_tiny", **options):
    """A folder as export_run makes it, and the model in it."""
    model = create_model(name, **options).eval()
    metadata = checkpoint_metadata(
        model_name=name,
        model_options=options,
        classes=("a", "b", "c"),
        preprocessing={"num_frames": 4},
        protocol={"num_clips": 1, "num_crops": 3, "average": "prob"},
        config={},
        position_grid=position_grid(model),
    )
    write_safetensors(folder / "model.safetensors", model.state_dict(), metadata=metadata)
    return model


def test_pretrained_weights_bring_their_options(tmp_path):
    model = exported(tmp_path, **TINY, num_frames=4, num_tokens=8)
    loaded = create_model("stvit_video_deit_tiny", pretrained=tmp_path).eval()
    clip = torch.randn(2, 3, 4, 16, 16)
    assert torch.equal(loaded(clip), model(clip))
    fewer = create_model("stvit_video_deit_tiny", pretrained=tmp_path, num_tokens=4, num_classes=5).eval()
    model.set_num_tokens(4)
    torch.testing.assert_close(fewer.forward_features(clip), model.forward_features(clip))
    assert fewer(clip).shape == (2, 5)


def test_pretrained_weights_of_another_model_are_fitted_or_refused(tmp_path):
    dense = exported(tmp_path, name="deit_tiny", **{k: v for k, v in TINY.items() if k != "generate_at"})
    few = create_model("stvit_deit_tiny", pretrained=tmp_path / "model.safetensors", **TINY, num_tokens=4)
    assert torch.equal(few.blocks[0].attn.qkv.weight, dense.blocks[0].attn.qkv.weight)
    with pytest.raises(CheckpointError, match="another model: "):
        create_model("stvit_deit_tiny", pretrained=tmp_path, **TINY | {"embed_dim": 16})
    with pytest.raises(ValueError, match="no option 'num_token', .*'num_tokens'"):
        create_model("stvit_video_deit_tiny", pretrained=tmp_path, num_token=3)
    with pytest.raises(CheckpointError, match="no checkpoint file .*gone.safetensors"):
        create_model("deit_tiny", pretrained=tmp_path / "gone.safetensors")

import pytest
import torch

from stvit_video.dense.create_dense import create_dense
from stvit_video.dense.dense_checkpoint import dense_from_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, segmenter_metadata
from stvit_video.models.checkpoints.state_dict import CheckpointError

TINY = {"depths": (1, 1, 1, 1), "embed_dims": (16, 16, 16, 16)}


@pytest.fixture
def stored(tmp_path):
    """A segmenter and the file of its weights."""
    torch.manual_seed(0)
    options = {"neck_channels": 8, "head_channels": 8}
    model = create_dense("semantic_fpn", backbone="casvit_xs", num_classes=3, backbone_options=TINY, **options)
    sizes = {"short_side": 64, "long_side": 64}
    metadata = segmenter_metadata(description=model.describe(), classes="abc", preprocessing=sizes, config={})
    torch.save({"state_dict": model.state_dict(), METADATA_KEY: metadata}, tmp_path / "a.ckpt")
    return model, tmp_path / "a.ckpt"


def test_the_weights_come_back_in_eval_mode(stored):
    model, path = stored
    loaded, metadata = dense_from_checkpoint(path, tasks=["semantic"])
    assert not loaded.training
    assert metadata["classes"] == ["a", "b", "c"]
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in model.state_dict().items())
    changed, _ = dense_from_checkpoint(path, tasks=["semantic"], options={"window": 64})
    assert (loaded.options.window, changed.options.window) == (None, 64)
    with pytest.raises(ValueError, match="window=3"):
        dense_from_checkpoint(path, tasks=["semantic"], options={"window": 3})


def test_what_can_not_be_built_is_told_with_its_version(stored, tmp_path):
    _, path = stored
    with pytest.raises(CheckpointError, match="a.ckpt' is of task=semantic, .*task=detection or instance"):
        dense_from_checkpoint(path, tasks=["detection", "instance"])
    content = torch.load(path, weights_only=True)
    content[METADATA_KEY]["head_options"]["colour"] = "red"
    torch.save(content, tmp_path / "b.ckpt")
    with pytest.raises(
        CheckpointError, match="the model of .*b.ckpt' can't be built: .*colour.*written by stvit_video"
    ):
        dense_from_checkpoint(tmp_path / "b.ckpt", tasks=["semantic"])

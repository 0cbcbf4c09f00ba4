"""Metadata that are added to a checkpoint: the rest stays, in both kinds of file, and a fault leaves the old file."""

import pytest
import torch

from stvit_video.models.checkpoints.files import EXPORTED, read_checkpoint, write_safetensors
from stvit_video.models.checkpoints.load import model_from_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY
from stvit_video.models.checkpoints.rewrite import add_to_metadata
from stvit_video.models.checkpoints.state_dict import CheckpointError


@pytest.fixture
def checkpoint(tiny_run, tmp_path):
    """A copy that also holds what a training keeps."""
    content = torch.load(tiny_run.checkpoint, weights_only=True)
    torch.save({**content, "optimizer_states": [{"step": torch.tensor(3.0)}]}, tmp_path / "best.ckpt")
    return tmp_path / "best.ckpt"


def same_state(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_a_checkpoint_keeps_all_else(checkpoint):
    before = read_checkpoint(checkpoint)
    assert add_to_metadata(checkpoint, {"front": {"points": [1, 2.5, None]}}) == checkpoint
    after = read_checkpoint(checkpoint)
    assert after[METADATA_KEY].pop("front") == {"points": [1, 2.5, None]}
    assert after[METADATA_KEY] == {"multi_label": False, "held_back": None, **before[METADATA_KEY]}
    assert same_state(after["state_dict"], before["state_dict"])
    assert torch.equal(after["optimizer_states"][0]["step"], torch.tensor(3.0))
    add_to_metadata(checkpoint, {"front": 1})
    assert read_checkpoint(checkpoint)[METADATA_KEY]["front"] == 1  # replaced
    assert [path.name for path in checkpoint.parent.iterdir()] == ["best.ckpt"]


def test_an_exported_folder(checkpoint, tmp_path):
    model, metadata = model_from_checkpoint(checkpoint)
    folder = tmp_path / "export"
    folder.mkdir()
    write_safetensors(folder / EXPORTED, model.state_dict(), metadata=metadata)
    assert add_to_metadata(folder, {"front": [1]}) == folder / EXPORTED
    again, found = model_from_checkpoint(folder)
    assert found == {**metadata, "front": [1]}
    assert same_state(again.state_dict(), model.state_dict())


def test_a_link_stays_one(checkpoint, tmp_path):
    link = tmp_path / "link.ckpt"
    link.symlink_to(checkpoint)
    add_to_metadata(link, {"front": 1})
    assert link.is_symlink()
    assert read_checkpoint(checkpoint)[METADATA_KEY]["front"] == 1


def test_a_fault_leaves_the_old_file(checkpoint, tmp_path, monkeypatch):
    before = checkpoint.read_bytes()

    def fail(content, file):
        file.write(b"half")
        raise RuntimeError("[enforce fail at inline_container.cc] . PytorchStreamWriter failed writing file")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="the checkpoint is as it was"):
        add_to_metadata(checkpoint, {"front": 1})
    assert checkpoint.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["best.ckpt"]


def test_weights_without_metadata_are_refused(tmp_path):
    torch.save({"head.weight": torch.zeros(2)}, tmp_path / "x.ckpt")
    with pytest.raises(CheckpointError, match="does not say which model"):
        add_to_metadata(tmp_path / "x.ckpt", {"front": 1})

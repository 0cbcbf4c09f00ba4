"""Files of weights: what is refused and why, that no code in them runs, and that ours come back whole."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from stvit_video.models.checkpoints.files import EXPORTED, read_checkpoint, write_safetensors
from stvit_video.models.checkpoints.metadata import METADATA_KEY
from stvit_video.models.checkpoints.state_dict import CheckpointError

CONTENT = {"state_dict": {"model.head.weight": torch.arange(6.0).reshape(2, 3), "model.head.bias": torch.zeros(2)}}


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint file .*missing.ckpt'"):
        read_checkpoint(tmp_path / "missing.ckpt")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"hello, a text", "no zip archive"),
        (b"not a checkpoint", "no zip archive"),
        (b"\x80\x02]q", "no zip archive"),
        (b"PK\x03\x04 broken zip", "zip archive .*cut short"),
    ],
)
def test_file_that_is_no_checkpoint(tmp_path, content, reason):
    (tmp_path / "bad.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match=f"bad.ckpt' is no checkpoint .*{reason}") as caught:
        read_checkpoint(tmp_path / "bad.ckpt")
    assert caught.value.__suppress_context__  # torch's text advises to run the file's code


def test_checkpoint_that_was_cut_short(tmp_path):
    torch.save(CONTENT, tmp_path / "whole.ckpt")
    (tmp_path / "cut.ckpt").write_bytes((tmp_path / "whole.ckpt").read_bytes()[:-30])
    with pytest.raises(CheckpointError, match="cut.ckpt' is no checkpoint .*zip archive .*cut short"):
        read_checkpoint(tmp_path / "cut.ckpt")


def test_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(CheckpointError, match="folder without model.safetensors"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize(("names", "told"), [(["last.ckpt"], "last"), (["best.ckpt", "last.ckpt"], "best")])
def test_the_folder_of_a_run_names_its_checkpoint(tmp_path, names, told):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(CheckpointError, match=rf"is the folder of a run; give a checkpoint in it: '.*/{told}\.ckpt'$"):
        read_checkpoint(tmp_path)


def test_a_bundle_is_told_from_a_folder_of_weights(tmp_path):
    (tmp_path / "bundle.json").write_text("{}")
    with pytest.raises(CheckpointError, match="is a bundle .*give the checkpoint that it was exported from"):
        read_checkpoint(tmp_path)


def test_folder_of_weights_in_several_files(tmp_path):
    (tmp_path / "pytorch_model.bin.index.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"several files.* max_shard_size="):
        read_checkpoint(tmp_path)


def test_folder_with_the_older_name_of_weights(tmp_path):
    torch.save({"a": torch.ones(3)}, tmp_path / "pytorch_model.bin")
    assert read_checkpoint(tmp_path)["a"].tolist() == [1, 1, 1]


def test_torchs_older_format_loads(tmp_path):
    torch.save({"a": torch.ones(3)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert read_checkpoint(tmp_path / "old.pt")["a"].tolist() == [1, 1, 1]


class Harmful:
    def __reduce__(self):
        return (print, ("code of a stranger",))


def test_code_in_a_checkpoint_is_not_run(tmp_path, capsys):
    torch.save({"state_dict": Harmful()}, tmp_path / "harmful.ckpt")
    message = (  # the whole sentence, once for its family
        "harmful.ckpt' is no checkpoint that loads safely: it holds Python objects other than tensors and plain "
        r"values; give a file written by stvit_video.train or torch.save\(state_dict\)$"
    )
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(tmp_path / "harmful.ckpt")
    assert capsys.readouterr().out == ""


def test_file_that_holds_something_else(tmp_path):
    torch.save(torch.zeros(3), tmp_path / "tensor.pt")
    with pytest.raises(CheckpointError, match="tensor.pt' holds a Tensor, not a dictionary"):
        read_checkpoint(tmp_path / "tensor.pt")


def test_weights_and_metadata_come_back(tmp_path):
    """Transposed, shared and half-precision tensors too; the header is plain JSON that others can read."""
    weight = torch.randn(2, 3)
    state = {"a": weight, "b": weight.T, "c": weight[0].half(), "count": torch.tensor(7)}
    metadata = {"classes": ["a, b", "ü"], "options": {"grid": [1, 2], "rate": 0.1, "pool": None}}
    write_safetensors(tmp_path / EXPORTED, state, metadata=metadata)
    for path in (tmp_path, tmp_path / EXPORTED, str(tmp_path)):
        content = read_checkpoint(path)
        assert content[METADATA_KEY] == metadata
        assert set(content["state_dict"]) == set(state)
        assert all(torch.equal(content["state_dict"][key], value) for key, value in state.items())
        assert content["state_dict"]["c"].dtype == torch.float16
    with safe_open(tmp_path / EXPORTED, framework="pt") as opened:
        assert json.loads(opened.metadata()[METADATA_KEY]) == metadata


def test_safetensors_of_others_are_their_tensors(tmp_path):
    save_file({"a": torch.ones(3)}, tmp_path / "other.safetensors", metadata={"format": "pt"})
    assert {key: value.tolist() for key, value in read_checkpoint(tmp_path / "other.safetensors").items()} == {
        "a": [1, 1, 1]
    }


def test_a_damaged_header_is_no_whole_file(tmp_path):
    save_file({"a": torch.ones(3)}, tmp_path / "x.safetensors", metadata={METADATA_KEY: "{not json"})
    with pytest.raises(CheckpointError, match="x.safetensors' is no checkpoint .*no whole file"):
        read_checkpoint(tmp_path / "x.safetensors")


def test_others_can_read_an_exported_file(tmp_path):
    write_safetensors(tmp_path / "a.safetensors", {"weight": torch.zeros(3)}, metadata={})
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "a.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("config", "is_refused"),
    [
        ('{"model_type": "vit", "hidden_act": "relu"}', True),
        ('{"model_type": "vit", "hidden_act": "gelu"}', False),
        ('{"model_type": "clip", "hidden_act": "quick_gelu"}', False),  # told by its keys
        ("[]", False),
        ("{", False),
    ],
)
def test_an_activation_that_no_model_here_has_is_refused(tmp_path, config, is_refused):
    save_file({"a": torch.zeros(2)}, tmp_path / EXPORTED)
    (tmp_path / "config.json").write_text(config)
    for path in (tmp_path, tmp_path / EXPORTED):
        if is_refused:
            with pytest.raises(CheckpointError, match=r"config\.json' says hidden_act='relu'.* compute 'gelu'"):
                read_checkpoint(path)
        else:
            assert list(read_checkpoint(path)) == ["a"]

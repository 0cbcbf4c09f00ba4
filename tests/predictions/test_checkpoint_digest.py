"""The digest of a checkpoint is of its content, not of its file."""

from dataclasses import replace

import pytest
import torch

from stvit_video.inference.recognizer import load_recognizer
from stvit_video.predictions.checkpoint_digest import checkpoint_digest, checkpoint_values


@pytest.fixture
def recognizer(tiny_run):
    return load_recognizer(tiny_run.checkpoint, device="cpu")


def test_values_name_the_tokens(recognizer):
    values = {"checkpoint": checkpoint_digest(recognizer), "num_tokens": [1, 2, 2], "generate_at": 1}
    assert checkpoint_values(recognizer) == values


def test_the_digest_is_of_the_content(recognizer, tiny_run, tmp_path):
    (tmp_path / "copy.ckpt").write_bytes(tiny_run.checkpoint.read_bytes())
    assert checkpoint_digest(load_recognizer(tmp_path / "copy.ckpt", device="cpu")) == checkpoint_digest(recognizer)
    digest = checkpoint_digest(recognizer)
    others = [
        replace(recognizer, classes=recognizer.classes[::-1]),
        replace(recognizer, multi_label=True),
        replace(recognizer, model_name="another"),
    ]
    assert len({digest, *map(checkpoint_digest, others)}) == 4
    with torch.no_grad():
        weight = next(recognizer.model.parameters())
        weight.view(-1)[0] = torch.nextafter(weight.view(-1)[0], torch.tensor(1e9))
    assert checkpoint_digest(recognizer) != digest


def test_weights_of_two_bytes_have_a_digest(recognizer):
    half = replace(recognizer, model=recognizer.model.to(torch.bfloat16))
    assert checkpoint_digest(half) != checkpoint_digest(replace(recognizer, model=recognizer.model.float()))

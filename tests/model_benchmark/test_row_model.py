"""Models of rows: their classes, their weights, and the input where a peer can't take the one asked for."""

import pytest
import torch
from row_services import tiny_row

from stvit_video.model_benchmark import peer_models, row_model
from stvit_video.model_benchmark.model_row import ModelRow
from stvit_video.model_benchmark.row_model import build_row, choose_input, load_libraries
from stvit_video.utils.optional import MissingLibraryError


def peer(name: str, library: str, asked: tuple[int, ...], own: tuple[int, ...]) -> ModelRow:
    return ModelRow(label=name, library=library, name=name, input_size=asked, baseline="b", own_input=own)


def test_ours_has_the_options_of_the_row_and_the_same_weights_each_time():
    row = tiny_row(name="stvit_deit_tiny", generate_at=1, num_tokens=3)
    first, second = (build_row(row, row.input_size) for _ in range(2))
    assert first.generate_at == 1
    assert first(torch.zeros(1, 3, 12, 20)).shape == (1, 1000)
    assert all(torch.equal(*pair) for pair in zip(first.parameters(), second.parameters(), strict=True))
    assert choose_input(row) == ((12, 20), "")


def test_a_peer_at_the_size_asked_for():
    assert choose_input(peer("r3d_18", "torchvision", (4, 32, 48), (16, 112, 112))) == ((4, 32, 48), "")


def test_a_peer_that_can_not_take_the_size_has_its_own_and_says_so():
    size, note = choose_input(peer("s3d", "torchvision", (4, 32, 32), (16, 224, 224)))
    assert size == (16, 224, 224)
    assert "does not take 4x32x32" in note
    assert "\n" not in note
    size, note = choose_input(peer("slowfast_r50", "pytorchvideo", (6, 64, 64), (32, 224, 224)))
    assert size == (32, 224, 224)
    assert "multiple of 4" in note


def test_a_peer_whose_logits_are_none(monkeypatch):
    made = peer_models.FramesFirst(torch.nn.Identity())
    made.forward = lambda clips: clips
    monkeypatch.setattr(row_model, "build_row", lambda row, size: made)
    size, note = choose_input(peer("s3d", "torchvision", (4, 8, 8), (16, 224, 224)))
    assert size == (16, 224, 224)
    assert "(1, 3, 4, 8, 8)" in note


def test_a_missing_library_is_no_matter_of_size(monkeypatch):
    def missing(name, **words):
        raise MissingLibraryError(f"{name} is gone")

    monkeypatch.setattr(peer_models, "load_optional", missing)
    with pytest.raises(MissingLibraryError, match="timm is gone"):
        choose_input(peer("timm_deit_tiny", "timm", (32, 32), (224, 224)))


def test_libraries_are_loaded_without_weights(monkeypatch):
    built = []
    real = row_model.build_row

    def noting(row, size):
        model = real(row, size)
        built.append({parameter.device.type for parameter in model.parameters()})
        return model

    monkeypatch.setattr(row_model, "build_row", noting)
    load_libraries(peer("r3d_18", "torchvision", (4, 32, 48), (16, 112, 112)), (4, 32, 48))
    load_libraries(tiny_row(), (12, 20))
    assert built == [{"meta"}]

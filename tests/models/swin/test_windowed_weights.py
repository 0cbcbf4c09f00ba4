import pytest
import torch

from stvit_video.models import create_model, load_checkpoint
from stvit_video.models.checkpoints.state_dict import CheckpointError

LITTLE = {"num_classes": 5, "embed_dim": 8, "depths": (1, 1, 6, 1), "num_heads": (1, 1, 2, 2)}
WINDOWS = {"key_window": (14, 14), "center_window": (21, 21), "recover_window": (27, 27)}


def build(name="stvit_r_swin_tiny", **options):
    torch.manual_seed(0)
    return create_model(name, **{**LITTLE, **options}).eval()


def test_weights_come_back_with_their_rule():
    model, again, x = build(**WINDOWS), build(**WINDOWS), torch.randn(1, 3, 96, 96)
    released = model.state_dict() | {"padding_rule": torch.tensor(1)}
    load_checkpoint(again, released)
    assert int(again.state_dict()["padding_rule"]) == 1
    assert not torch.equal(again(x), model(x))
    load_checkpoint(again, model.state_dict())
    assert torch.equal(again(x), model(x))


@pytest.mark.parametrize("name", ["stvit_r_swin_tiny", "swin_tiny", "stvit_swin_tiny"])
def test_windowed_weights_in_a_model_without_windows(name):
    message = (  # the whole sentence, once for its family
        r"^the weights \(stvit_video state dict\) are of a windowed STViT-R, whose tokens see windows of the picture, "
        r"and this model has no such windows, so that it would answer otherwise; build a stvit_r_swin_ model with the "
        r"options that they were trained with, those of the released detectors are key_window=\(14, 14\), "
        r"center_window=\(21, 21\), recover_window=\(27, 27\), generate_shortcut=True, block_layer_scale=None$"
    )
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(build(name), build(**WINDOWS).state_dict())
    with pytest.raises(CheckpointError, match="windowed STViT-R"):
        load_checkpoint(build(name), build(**WINDOWS).state_dict(), new_head=True)


def test_weights_of_the_whole_picture_in_a_windowed_model():
    state = build().state_dict()
    with pytest.raises(CheckpointError, match="see the whole picture, .*center_window.*init_head=new.*new_head=True"):
        load_checkpoint(build(**WINDOWS), state)
    report = load_checkpoint(build(**WINDOWS), state, new_head=True)
    assert report.new == ("head.weight", "head.bias")


def test_dense_weights_start_a_windowed_model():
    """They know nothing of semantic tokens, and say no rule of theirs."""
    model = build(conv_stem=False, block_layer_scale=None, **WINDOWS)
    report = load_checkpoint(model, build("swin_tiny").state_dict())
    assert int(model.state_dict()["padding_rule"]) == 0
    assert {"levels.2.blocks.1.layers.0.ls1.gamma", "levels.2.blocks.4.ls1.gamma"} <= set(report.new)


def test_a_windowed_training_starts_from_the_released_classifier():
    """Its window blocks have no layer scale in the detector; that of the classifier goes into the weights before it."""
    classifier = build(block_layer_scale=0.1)
    for name, weight in classifier.named_parameters():
        if name.endswith("gamma"):
            torch.nn.init.uniform_(weight, 0.5, 2.0)
    model = build(block_layer_scale=None, **WINDOWS)
    load_checkpoint(model, classifier.state_dict(), new_head=True)
    x = torch.randn(2, 16, 16, 8)
    theirs, ours = classifier.levels[0].blocks[0], model.levels[0].blocks[0]
    assert torch.allclose(ours(x), theirs(x), atol=1e-5)
    assert not torch.allclose(build().levels[0].blocks[0](x), theirs(x), atol=1e-2)
    with pytest.raises(CheckpointError, match="see the whole picture"):
        load_checkpoint(model, classifier.state_dict())

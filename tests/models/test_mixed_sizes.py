import pytest
import torch
from torch import nn

from stvit_video.models import create_model
from stvit_video.models.mixed_sizes import by_size, check_sizes, learns_from_batch

SWIN = {"embed_dim": 8, "depths": (1, 2, 6, 1), "num_heads": (1, 1, 2, 2), "window_size": 3, "image_size": 96}
CASVIT = {"embed_dims": (8, 8, 16, 16), "depths": (1, 1, 4, 1), "image_size": 96}
WINDOWED = {"key_window": (5, 5), "center_window": (7, 7), "recover_window": (9, 9)}
MODELS = {
    "swin": ("swin_tiny", SWIN),
    "recovering swin": ("stvit_r_swin_tiny", SWIN),
    "windowed swin": ("stvit_r_swin_tiny", {**SWIN, **WINDOWED}),
    "casvit": ("casvit_xs", CASVIT),
    "recovering casvit": ("stvit_r_casvit_xs", CASVIT),
}
SIZES = [(64, 90), (33, 101), (64, 90), (96, 52)]


def build(kind):
    name, options = MODELS[kind]
    torch.manual_seed(0)
    model = create_model(name, features_only=True, **options).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # else zeros would stay zeros behind the first norm
            module.running_mean.normal_()
    return model


def padded(pictures):
    batch = torch.zeros(len(pictures), 3, 96, 128)
    for place, picture in zip(batch, pictures, strict=True):
        place[:, : picture.shape[1], : picture.shape[2]] = picture
    return batch


@pytest.mark.parametrize("kind", MODELS)
def test_a_batch_of_mixed_sizes_equals_single_pictures(kind):
    model, pictures = build(kind), [torch.randn(3, *size) for size in SIZES]
    with torch.no_grad():
        maps = model(padded(pictures), sizes=SIZES)
        assert [tuple(level.shape[2:]) for level in maps] == [(24, 32), (12, 16), (6, 8), (3, 4)]
        for index, picture in enumerate(pictures):
            for found, alone in zip(maps, model(picture[None]), strict=True):
                height, width = alone.shape[2:]
                torch.testing.assert_close(found[index, :, :height, :width], alone[0], atol=1e-5, rtol=1e-4)
                assert found[index, :, height:].abs().sum() == found[index, :, :, width:].abs().sum() == 0


@pytest.mark.parametrize("kind", ["swin", "casvit"])
def test_without_sizes_padding_is_a_part_of_the_picture(kind):
    model, picture = build(kind), torch.randn(3, 64, 90)
    with torch.no_grad():
        beside, alone = model(padded([picture]))[3], model(picture[None])[3]
    assert not torch.allclose(beside[:, :, :2, :3], alone, atol=1e-3)


def test_gradients_of_mixed_sizes():
    model, pictures = build("windowed swin"), padded([torch.randn(3, *size) for size in SIZES]).requires_grad_()
    sum(level.square().sum() for level in model(pictures, sizes=SIZES)).backward()
    for gradient, (height, width) in zip(pictures.grad, SIZES, strict=True):
        assert gradient[:, :height, :width].abs().sum() > 0
        assert gradient[:, height:].abs().sum() == gradient[:, :, width:].abs().sum() == 0


def test_batch_norms_learn_from_the_whole_batch():
    model, pictures = build("casvit").train(), padded([torch.randn(3, *size) for size in SIZES])
    assert learns_from_batch(model)
    torch.testing.assert_close(model(pictures, sizes=SIZES), model(pictures))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    assert not learns_from_batch(model)
    assert not torch.allclose(model(pictures, sizes=SIZES)[3], model(pictures)[3])
    assert not learns_from_batch(build("swin").train())


def test_pictures_of_one_size_run_together():
    calls = []

    def run(pictures):
        calls.append(tuple(pictures.shape))
        return [pictures[..., ::4, ::4]]

    pictures = torch.randn(3, 2, 8, 12)
    assert torch.equal(by_size(run, pictures, [(8, 12)] * 3)[0], pictures[..., ::4, ::4])
    assert calls.pop() == (3, 2, 8, 12)
    out = by_size(run, pictures, [(4, 8), (8, 5), (4, 8)])[0]
    assert calls == [(2, 2, 4, 8), (1, 2, 8, 5)]
    assert torch.equal(out[2, :, :1, :2], pictures[2, :, :4:4, :8:4])


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([(8, 12)], "1 sizes for 2 pictures"),
        ([(8, 12), (9, 12)], r"size \(9, 12\) .*batch of 8x12 pixels"),
        ([(8, 12), (0, 12)], r"size \(0, 12\) .*batch of 8x12"),
    ],
)
def test_sizes_that_are_of_no_picture(sizes, message):
    with pytest.raises(ValueError, match=message):
        check_sizes(torch.zeros(2, 3, 8, 12), sizes)


def test_a_classifier_takes_no_sizes():
    model = create_model("casvit_xs", **CASVIT)
    with pytest.raises(ValueError, match="sizes .* are for .*features_only=True"):
        model(torch.zeros(1, 3, 96, 96), sizes=[(96, 96)])

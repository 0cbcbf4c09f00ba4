"""What both heads for maps promise: any size, any mode, gradients everywhere, sizes of the answers."""

import pytest
import torch
from drawn_maps import MAP_HEADS, NOT_COUNTED, enlarged, mean_of_windows, shaken, three_maps, tiny_segmenter
from drawn_objects import batch_of, fit
from torch.nn import functional as F

BACKBONES = {
    "casvit_xs": {},
    "stvit_r_casvit_xs": {"backbone_options": {"embed_dims": (12, 16, 32, 24), "depths": (1, 1, 4, 1)}},
    "swin_tiny": {
        "backbone_options": {"embed_dim": 12, "num_heads": (1, 2, 3, 4), "depths": (1, 1, 2, 1), "window_size": 4}
    },
    "stvit_r_swin_tiny": {"backbone_options": {"embed_dim": 12, "num_heads": (1, 2, 3, 6), "depths": (1, 1, 6, 1)}},
}


@pytest.mark.parametrize("head", MAP_HEADS)
def test_every_parameter_has_a_gradient_also_where_nothing_is_counted(head):
    pictures, sizes, maps = three_maps()
    for labels in (maps, torch.full_like(maps, NOT_COUNTED)):
        model = tiny_segmenter(head)
        losses = model.losses(pictures, sizes, labels)
        assert set(losses) == ({"loss_map", "loss_auxiliary"} if head == "upernet" else {"loss_map"})
        assert all(loss.ndim == 0 and loss.isfinite() for loss in losses.values())
        sum(losses.values()).backward()
        assert [name for name, one in model.named_parameters() if one.grad is None] == []
        assert all(one.grad.isfinite().all() for one in model.parameters())
    assert all(float(loss.detach()) == 0 for loss in losses.values())


@pytest.mark.parametrize("head", MAP_HEADS)
@pytest.mark.parametrize("rule", ["ours", "mmseg"])
def test_the_loss_is_the_cross_entropy_of_logits_in_the_pictures_size(head, rule):
    pictures, sizes, maps = three_maps()
    model = shaken(tiny_segmenter(head, head_rule=rule))
    pictures, maps = pictures[..., :60, :90], maps[:, :60, :90]
    sizes = [(min(60, height), min(90, width)) for height, width in sizes]
    logits = model.outputs(pictures, sizes)["logits"]
    assert logits.shape == (3, 3, 16, 24)
    whole = F.interpolate(logits, size=(64, 96), mode="bilinear", align_corners=False)[..., :60, :90]
    terms = F.cross_entropy(whole, maps, ignore_index=NOT_COUNTED, reduction="none")
    counted = maps != NOT_COUNTED
    wanted = terms.mean() if rule == "mmseg" else terms[counted].mean()
    torch.testing.assert_close(model.losses(pictures, sizes, maps)["loss_map"], wanted)
    assert not counted.all()


def test_labels_in_the_padding_are_not_counted():
    model = shaken(tiny_segmenter("semantic_fpn"))
    pictures, sizes, maps = three_maps()
    noisy = maps.clone()
    noisy[1, sizes[1][0] :] = 2
    assert not torch.equal(noisy, maps)
    assert torch.equal(
        model.losses(pictures, sizes, noisy)["loss_map"], model.losses(pictures, sizes, maps)["loss_map"]
    )


@pytest.mark.parametrize("head", MAP_HEADS)
def test_losses_and_outputs_do_not_change_with_the_mode(head):
    model = tiny_segmenter(head, dropout=0.0, **{"backbone": "swin_tiny", **BACKBONES["swin_tiny"]})
    for module in model.modules():
        if hasattr(module, "running_mean"):
            module.momentum, module.track_running_stats = 0.0, False
            module.running_mean = module.running_var = None
    found = []
    for training in (True, False):
        model.train(training)
        found.append((model.losses(*three_maps()), model.outputs(*three_maps()[:2])))
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("head", MAP_HEADS)
def test_bfloat16(head):
    model, batch = tiny_segmenter(head), three_maps()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = model.losses(*batch)
        found = model.eval().segment(*batch[:2])
    assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
    assert all(part["scores"].dtype == torch.float32 and part["labels"].dtype == torch.uint8 for part in found)


@pytest.mark.parametrize("head", MAP_HEADS)
def test_labels_of_the_original_size_by_two_steps_of_resizing(head):
    """The logits in the size of the picture, cut to it, and these in the original size, by the definition."""
    model = shaken(tiny_segmenter(head, num_classes=30))
    picture, original = torch.randn(1, 3, 50, 70), (37, 91)
    with torch.no_grad():
        logits = model.outputs(F.pad(picture, (0, 26, 0, 14)), [(50, 70)])["logits"][0]
    wanted = enlarged(enlarged(logits, (64, 96))[:, :50, :70], original)
    (found,) = model.segment(picture, [(50, 70)], [original])
    assert found["labels"].shape == found["scores"].shape == original
    assert (found["labels"] == wanted.argmax(0)).float().mean() > 0.999  # ties by rounding
    torch.testing.assert_close(found["scores"], wanted.softmax(0).amax(0), atol=1e-4, rtol=1e-3)
    assert len(found["labels"].unique()) > 1


@pytest.mark.parametrize("head", MAP_HEADS)
@pytest.mark.parametrize(("window", "stride"), [(48, 20), (64, None), (500, 500)])
def test_sliding_windows(head, window, stride):
    model = shaken(tiny_segmenter(head, window=window, window_stride=stride))
    size, original = (70, 90), (31, 40)
    picture = F.pad(torch.randn(1, 3, *size), (0, 6, 0, 26))

    def run(part):
        tall, wide = (max(64, -(-side // 32) * 32) for side in part.shape[-2:])
        padded = F.pad(part, (0, wide - part.shape[-1], 0, tall - part.shape[-2]))
        logits = model.outputs(padded, [padded.shape[-2:]])["logits"][0]
        return enlarged(logits, (tall, wide))[None, :, : part.shape[-2], : part.shape[-1]]

    with torch.no_grad():
        mean = mean_of_windows(picture[0, :, :70, :90], run, window=window, stride=stride or 42)
    (found,) = model.segment(picture, [size], [original])
    wanted = enlarged(mean, original)
    torch.testing.assert_close(found["scores"], wanted.softmax(0).amax(0), atol=1e-5, rtol=1e-4)
    assert (found["labels"] == wanted.argmax(0)).float().mean() > 0.999
    if window == 500:
        whole = shaken(tiny_segmenter(head)).segment(picture, [size], [original])[0]
        torch.testing.assert_close(found["scores"], whole["scores"])


@pytest.mark.parametrize("head", MAP_HEADS)
@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("window", [None, 48])
def test_a_picture_of_a_mixed_batch_gets_what_it_gets_alone(head, backbone, window):
    model = shaken(tiny_segmenter(head, window=window, backbone=backbone, **BACKBONES[backbone]))
    sizes = [(64, 90), (33, 130), (70, 96), (60, 95), (128, 52)]
    pictures = [torch.randn(3, *size) for size in sizes]
    together = model.segment(*batch_of(pictures))
    for picture, size, found in zip(pictures, sizes, together, strict=True):
        (alone,) = model.segment(picture[None], [size])
        torch.testing.assert_close(found["scores"], alone["scores"], atol=5e-4, rtol=1e-3)
        assert (found["labels"] == alone["labels"]).float().mean() > 0.999
        assert found["labels"].shape == size


@pytest.mark.parametrize("head", MAP_HEADS)
def test_pictures_smaller_than_a_cell_of_the_coarsest_map(head):
    model = tiny_segmenter(head)
    picture, maps = torch.randn(2, 3, 13, 20), torch.ones(2, 13, 20, dtype=torch.int64)
    assert sum(model.losses(picture, [(13, 20)] * 2, maps).values()).isfinite()
    found = model.eval().segment(picture, [(13, 20), (1, 1)], [(26, 60), (5, 3)])
    assert [tuple(part["labels"].shape) for part in found] == [(26, 60), (5, 3)]


def test_what_does_not_fit_is_named():
    model, (pictures, sizes, maps) = tiny_segmenter("semantic_fpn"), three_maps()
    with pytest.raises(ValueError, match="2 sizes .*3 pictures"):
        model.losses(pictures, sizes[:2], maps)
    with pytest.raises(ValueError, match="\\(99, 96\\) of picture 0"):
        model.segment(pictures, [(99, 96), *sizes[1:]])
    with pytest.raises(ValueError, match="label 3 in the map of picture 2 .*0 to 2"):
        model.losses(pictures, sizes, torch.cat([maps[:2], maps[2:].clamp(max=3)]))


@pytest.mark.parametrize("head", MAP_HEADS)
def test_one_batch_is_learnt(head):
    batch = three_maps()
    model = tiny_segmenter(head, dropout=0.0)
    before, after = fit(model, batch, steps=50, rate=1e-2)
    assert after < 0.2 * before
    right, counted = 0, 0
    for found, labels, (height, width) in zip(model.train().segment(*batch[:2]), batch[2], batch[1], strict=True):
        truth = labels[:height, :width]
        right += int((found["labels"] == truth)[truth != NOT_COUNTED].sum())
        counted += int((truth != NOT_COUNTED).sum())
    assert right / counted > 0.9

import numpy as np
import pytest
import torch
from casvit_names import their_name
from drawn_maps import MAP_HEADS, mmseg_state, shaken
from mmdet_maker import mmdet_state

from stvit_video.dense.create_dense import create_dense
from stvit_video.detections.trained_detector import load_trained_detector
from stvit_video.segmentations.trained_segmenter import load_trained_segmenter

WORDS = ["head=retinanet", "model=casvit_xs", "short_side=64", "long_side=96"]


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    return create_dense("retinanet", backbone="casvit_xs", num_classes=2, head_rule="mmdet", score_threshold=0.0).eval()


def file_of(theirs, path, **meta):
    torch.save({"meta": meta, "state_dict": mmdet_state(theirs, backbone_name=their_name)}, path)
    return path


def test_a_file_of_mmdet_becomes_a_checkpoint_that_detects_alike(script, theirs, tmp_path, capsys):
    path = file_of(theirs, tmp_path / "theirs.pth", CLASSES=("cell", "dust"))
    assert script.main([str(path), *WORDS, f"out={tmp_path / 'ours.ckpt'}"]) == 0
    assert "mmdet retinanet" in capsys.readouterr().out
    ours = load_trained_detector(tmp_path / "ours.ckpt", score_threshold=0.0, device="cpu")
    assert (ours.task, ours.classes, ours.category_ids) == ("detection", ("cell", "dust"), (1, 2))
    assert (ours.model.head_rule, ours.sizes.long_side, ours.sizes.antialias) == ("mmdet", 96, False)
    picture = np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)
    normalised = (torch.from_numpy(picture) / 255 - torch.tensor(ours.sizes.mean)) / torch.tensor(ours.sizes.std)
    with torch.no_grad():
        expected = theirs.detect(normalised.permute(2, 0, 1)[None], [(64, 80)])[0]
    found = ours(picture)
    assert len(found["boxes"]) == len(expected["boxes"]) > 0
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-5)


def test_names_of_classes_come_from_a_file_where_it_does_not_tell(script, theirs, tmp_path, capsys):
    path, out = file_of(theirs, tmp_path / "theirs.pth"), tmp_path / "ours.ckpt"
    assert script.main([str(path), *WORDS, f"out={out}"]) == 2
    assert "classes=names.txt" in capsys.readouterr().err
    (tmp_path / "names.txt").write_text("one thing\nanother\n", encoding="utf-8")
    assert script.main([str(path), *WORDS, f"classes={tmp_path / 'names.txt'}", f"out={out}"]) == 0
    assert load_trained_detector(out, device="cpu").classes == ("one thing", "another")


def test_weights_of_another_head_write_nothing(script, theirs, tmp_path, capsys):
    path, out = file_of(theirs, tmp_path / "theirs.pth", CLASSES=("cell", "dust")), tmp_path / "ours.ckpt"
    assert script.main([str(path), "head=faster_rcnn", "model=casvit_xs", f"out={out}"]) == 2
    assert "retinanet" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("head", MAP_HEADS)
@pytest.mark.parametrize("auxiliary", [True, False])
def test_a_file_of_mmseg_becomes_a_checkpoint_that_labels_alike(script, head, auxiliary, tmp_path, capsys):
    torch.manual_seed(0)
    theirs = shaken(create_dense(head, backbone="casvit_xs", num_classes=3, head_rule="mmseg"))
    state = {k: v for k, v in mmseg_state(theirs).items() if auxiliary or not k.startswith("auxiliary_head.")}
    path, out = tmp_path / "theirs.pth", tmp_path / "ours.ckpt"
    torch.save({"meta": {"CLASSES": ("wall", "sky", "tree")}, "state_dict": state}, path)
    words = [f"head={head}", "model=casvit_xs", "short_side=64", f"out={out}"]
    assert script.main([str(path), *words]) == 0
    assert f"mmseg {head}" in capsys.readouterr().out
    ours = load_trained_segmenter(out, device="cpu")
    assert ours.classes == ("wall", "sky", "tree")
    sizes = ours.sizes
    assert (sizes.short_side, sizes.long_side, sizes.divisor, sizes.antialias) == (64, 2048, 32, False)
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    normalised = (torch.from_numpy(picture) / 255 - torch.tensor(sizes.mean)) / torch.tensor(sizes.std)
    expected = theirs.segment(normalised.permute(2, 0, 1)[None], [(64, 96)])[0]
    found = ours(picture)
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-4)
    assert (found["labels"] == expected["labels"].numpy()).mean() > 0.999
    assert script.main([str(path), "head=mask_rcnn", "model=casvit_xs", f"out={tmp_path / 'none.ckpt'}"]) == 2
    assert f"head={head} and task=semantic" in capsys.readouterr().err

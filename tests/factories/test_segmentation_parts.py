import shutil

import pytest
import torch
from segmenter_run import segmenter_settings
from settings_checker import all_changed

from stvit_video.config.layout_options import read_with_layout
from stvit_video.factories.segmentation_parts import build_segmentation
from stvit_video.models import create_model
from stvit_video.models.checkpoints.metadata import METADATA_KEY
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.settings.segmentation_settings import SegmentationSettings


def settings_of(values, **changes):
    dotted = {name.replace("__", "."): value for name, value in changes.items()}
    read = read_with_layout(SegmentationSettings, all_changed(values, dotted))
    assert (dict(read.wrong), read.unknown) == ({}, ())
    return read.settings


def test_what_the_checkpoints_say(tiny_segmenter):
    module, data = build_segmentation(settings_of(tiny_segmenter.settings))
    said = module.metadata
    assert (said["task"], said["head"], said["model"]["name"]) == ("semantic", "semantic_fpn", "casvit_xs")
    assert said["classes"] == list(data.classes) == list(module.classes)
    assert said["preprocessing"]["short_side"] == 48
    assert said["config"]["data"]["root"] == tiny_segmenter.settings["data"]["root"]
    assert (len(data.train_manifest.pictures), len(module.picture_ids)) == (6, 5)
    stored = torch.load(tiny_segmenter.checkpoint, weights_only=True)[METADATA_KEY]
    assert stored["head_options"]["neck_channels"] == 8


def test_weights_of_a_classifier_of_the_same_backbone_are_a_start(drawn_maps, tmp_path, capsys):
    classifier = create_model("casvit_xs", num_classes=7, depths=(1, 1, 1, 1), embed_dims=(16, 16, 16, 16))
    torch.save({"state_dict": classifier.state_dict()}, tmp_path / "classifier.pth")
    start = str(tmp_path / "classifier.pth")
    module, _ = build_segmentation(settings_of(segmenter_settings(drawn_maps), init_from=start))
    assert f"weights of {start}" in capsys.readouterr().out
    weights = module.model.backbone.state_dict()
    kept = [key for key in classifier.state_dict() if key in weights]
    assert len(kept) > 50
    assert [key for key in kept if not torch.equal(weights[key], classifier.state_dict()[key])] == []


def differing(model, run):
    """The layers whose weights are not those of the run's checkpoint."""
    then = torch.load(run.checkpoint, weights_only=True)["state_dict"]
    now = {f"model.{key}": value for key, value in model.state_dict().items()}
    assert set(now) == set(then)
    return {key.split(".")[-2] for key, value in now.items() if not torch.equal(value, then[key])}


@pytest.mark.parametrize("choice", ["new", "keep"])
def test_a_segmenter_of_the_same_classes_can_keep_its_head(tiny_segmenter, choice):
    start = {"init_from": str(tiny_segmenter.checkpoint), "init_head": choice}
    module, _ = build_segmentation(settings_of(tiny_segmenter.settings, **start))
    layers = differing(module.model, tiny_segmenter)
    assert len(layers) == (choice == "new")


def test_a_segmenter_of_other_classes_is_a_start(tiny_segmenter, capsys):
    start = {"init_from": str(tiny_segmenter.checkpoint)}
    classes = tiny_segmenter.result["per_class"]
    fewer = settings_of(tiny_segmenter.settings, data__keep_classes=list(classes)[:2], **start)
    module, data = build_segmentation(fewer)
    assert data.classes == tuple(classes)[:2]
    assert "new" in capsys.readouterr().out
    assert len(differing(module.model, tiny_segmenter)) == 1
    with pytest.raises(CheckpointError, match="init_head=keep .*2 classes of the data.*leave init_head out"):
        build_segmentation(fewer.with_changes(init_head="keep"))


def test_weights_of_another_head_are_refused(tiny_segmenter, tiny_detector, drawn_maps):
    start = {"init_from": str(tiny_segmenter.checkpoint)}
    with pytest.raises(CheckpointError, match="init_from=.*best.ckpt: .*head=semantic_fpn, .*head=upernet"):
        build_segmentation(settings_of(segmenter_settings(drawn_maps, head="upernet"), **start))
    start = {"init_from": str(tiny_detector.checkpoint)}
    with pytest.raises(CheckpointError, match="init_from=.*best.ckpt: .*head=faster_rcnn, .*head=semantic_fpn"):
        build_segmentation(settings_of(segmenter_settings(drawn_maps), **start))


def test_files_of_pictures_are_read_where_they_are(tiny_segmenter, tmp_path):
    root = tmp_path / "moved"
    shutil.copytree(tiny_segmenter.root, root)
    _, data = build_segmentation(settings_of(tiny_segmenter.settings, data__root=str(root)))
    assert all(str(root) in record.place for record in data.train_manifest.records)

import json
import shutil

import pytest
import torch
from detector_run import as_coco_folders, detector_settings
from settings_checker import all_changed

from stvit_video.config.layout_options import read_with_layout
from stvit_video.factories.detection_parts import build_detection
from stvit_video.models import create_model
from stvit_video.models.checkpoints.metadata import METADATA_KEY
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.settings.detection_settings import DetectionSettings


def settings_of(values, **changes):
    dotted = {name.replace("__", "."): value for name, value in changes.items()}
    read = read_with_layout(DetectionSettings, all_changed(values, dotted))
    assert (dict(read.wrong), read.unknown) == ({}, ())
    return read.settings


def test_what_the_checkpoints_say(tiny_detector):
    module, data = build_detection(settings_of(tiny_detector.settings))
    said = module.metadata
    assert (said["task"], said["head"], said["category_ids"]) == ("detection", "faster_rcnn", [1, 2, 3])
    assert said["classes"] == ["disc", "square", "triangle"]
    assert said["preprocessing"]["short_side"] == 48
    assert said["config"]["data"]["root"] == tiny_detector.settings["data"]["root"]
    assert (len(data.train_manifest.pictures), len(module.truth)) == (6, 5)
    assert torch.load(tiny_detector.checkpoint, weights_only=True)[METADATA_KEY]["head"] == "faster_rcnn"


def test_blocks_are_computed_again_where_that_is_asked_for(tiny_detector):
    settings = settings_of(tiny_detector.settings, trainer__gradient_checkpointing=True)
    module, _ = build_detection(settings)
    pictures, targets = (
        torch.rand(1, 3, 64, 64),
        [
            {
                "boxes": torch.tensor([[3.0, 4.0, 40.0, 50.0]]),
                "labels": torch.tensor([1]),
                "crowd": torch.tensor([False]),
            }
        ],
    )
    calls = []
    block = next(one for name, one in module.model.backbone.named_modules() if name.endswith("blocks.0"))
    block.register_forward_pre_hook(lambda *_: calls.append(1))
    sum(module.model.train().losses(pictures, [(64, 64)], targets).values()).backward()
    assert len(calls) == 2


def test_weights_of_a_classifier_of_the_same_backbone_are_a_start(shapes, tmp_path, capsys):
    classifier = create_model("casvit_xs", num_classes=7, depths=(1, 1, 1, 1), embed_dims=(16, 16, 16, 16))
    torch.save({"state_dict": classifier.state_dict()}, tmp_path / "classifier.pth")
    module, _ = build_detection(settings_of(detector_settings(shapes), init_from=str(tmp_path / "classifier.pth")))
    assert "weights of " in capsys.readouterr().out
    weights = module.model.backbone.state_dict()
    kept = [key for key in classifier.state_dict() if key in weights]
    assert len(kept) > 50
    assert [key for key in kept if not torch.equal(weights[key], classifier.state_dict()[key])] == []


def test_a_detector_of_other_classes_is_a_start(tiny_detector, tmp_path, capsys):
    shutil.copytree(tiny_detector.root, tmp_path / "two")
    for path in (tmp_path / "two" / "annotations").iterdir():
        content = json.loads(path.read_text())
        content["categories"] = content["categories"][:2]
        known = {category["id"] for category in content["categories"]}
        content["annotations"] = [one for one in content["annotations"] if one["category_id"] in known]
        path.write_text(json.dumps(content))
    values = as_coco_folders(tiny_detector.settings, tmp_path / "two")
    module, data = build_detection(settings_of(values, init_from=str(tiny_detector.checkpoint)))
    assert data.classes == ("disc", "square")
    told = capsys.readouterr().out
    assert "stages.0.box.classes" in told
    assert differing(module.model, tiny_detector) == {"classes", "boxes"}
    with pytest.raises(CheckpointError, match="init_head=keep .*2 classes .*stages.0.box.classes.*leave init_head out"):
        build_detection(settings_of(values, init_from=str(tiny_detector.checkpoint), init_head="keep"))


@pytest.mark.parametrize("choice", ["new", "keep"])
def test_a_detector_of_the_same_classes_can_keep_its_head(tiny_detector, choice):
    start = {"init_from": str(tiny_detector.checkpoint), "init_head": choice}
    module, _ = build_detection(settings_of(tiny_detector.settings, **start))
    assert differing(module.model, tiny_detector) == ({"classes", "boxes"} if choice == "new" else set())


def differing(model, run):
    """The layers whose weights are not those of the run's checkpoint."""
    then = torch.load(run.checkpoint, weights_only=True)["state_dict"]
    now = {f"model.{key}": value for key, value in model.state_dict().items()}
    assert set(now) == set(then)
    return {key.split(".")[-2] for key, value in now.items() if not torch.equal(value, then[key])}


def test_weights_of_another_head_or_rule_are_refused(tiny_detector, shapes):
    start = {"init_from": str(tiny_detector.checkpoint)}
    with pytest.raises(CheckpointError, match="init_from=.*best.ckpt: .*; use head=faster_rcnn, or .*classifier"):
        build_detection(settings_of(detector_settings(shapes, head="retinanet"), **start))
    with pytest.raises(CheckpointError, match="use head=faster_rcnn and task=detection, or .*of head=mask_rcnn from"):
        build_detection(settings_of(detector_settings(shapes, head="mask_rcnn"), **start))
    with pytest.raises(CheckpointError, match="head_rule='ours', .*head_rule='mmdet'"):
        build_detection(settings_of(tiny_detector.settings, head__head_rule="mmdet", **start))


def test_masks_are_needed_for_a_head_with_masks(tiny_detector, tmp_path):
    root = tmp_path / "boxes alone"
    shutil.copytree(tiny_detector.root, root)
    for path in (root / "annotations").iterdir():
        content = json.loads(path.read_text())
        for one in content["annotations"]:
            del one["segmentation"]
        path.write_text(json.dumps(content))
    values = as_coco_folders(detector_settings(root, head="mask_rcnn"), root)
    with pytest.raises(ValueError, match="26 of 26 train objects have no segmentation, .*detector of boxes"):
        build_detection(settings_of(values))

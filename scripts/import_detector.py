#!/usr/bin/env python3
"""Make a checkpoint of ours from a detector of mmdet or a segmenter of mmseg, so that evaluate and predict take it.

python scripts/import_detector.py mask_rcnn_rcvit_m.pth head=mask_rcnn model=casvit_m out=mask_rcnn_casvit_m.ckpt
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.data.transforms.picture_sizes import PictureSizes
from stvit_video.dense.create_dense import HEADS, create_dense
from stvit_video.dense.load_dense import class_names, load_dense, read_dense, weights_rule
from stvit_video.models.checkpoints.metadata import METADATA_KEY, detector_metadata, segmenter_metadata
from stvit_video.models.checkpoints.state_dict import CheckpointError, unwrapped
from stvit_video.models.registry import list_models
from stvit_video.models.swin.windowed import RELEASED_WINDOWS
from stvit_video.utils.atomic_files import atomically
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.value_kinds import PATH, TEXT, YES_NO, one_of, whole

COMMAND = Command(
    prog="python scripts/import_detector.py",
    summary="Make a checkpoint of ours from a detector of mmdet or a segmenter of mmseg.",
    positional=Positional(name="checkpoint", sign="FILE", help="of mmdet 2 or 3, or of mmseg", kind=PATH),
    settings=(
        Setting(name="head", kind=one_of(HEADS), help="neck and head", is_needed=True),
        Setting(name="model", kind=one_of(list_models(), sign="NAME"), help="its backbone", is_needed=True),
        Setting(
            name="windowed",
            kind=YES_NO,
            help="the backbone has the windows of STViT-R's released detectors",
            default_words="true for stvit_r_swin_*",
        ),
        Setting(
            name="classes",
            kind=TEXT,
            help="a text file, a name a line in the order of the labels",
            default_words="those that the file tells",
        ),
        Setting(
            name="short_side",
            kind=whole(low=1),
            help="pixels of a picture's short side",
            default_words="800, for maps 512",
        ),
        Setting(
            name="long_side",
            kind=whole(low=1),
            help="most pixels of its long side",
            default_words="1333, for maps 2048",
        ),
        Setting(name="out", kind=PATH, help="checkpoint to write", is_needed=True),
    ),
    examples=(
        "python scripts/import_detector.py mask_rcnn.pth head=mask_rcnn model=casvit_m out=detector.ckpt",
        "python scripts/import_detector.py net.pth head=cascade_mask_rcnn model=stvit_r_swin_small out=net.ckpt",
        "python scripts/import_detector.py fpn.pth head=semantic_fpn model=casvit_m out=segmenter.ckpt",
        "python scripts/import_detector.py net.pth head=retinanet model=casvit_m classes=coco.txt out=detector.ckpt",
    ),
)


def import_detector(given: Given) -> None:
    """Read the weights, check that every one has its place, write the checkpoint.

    Raises:
        ValueError: CheckpointError: the file can't be read or is of another model; or nobody knows the classes.
        OSError: the checkpoint can't be written.
    """
    content = read_dense(given.checkpoint)
    state = unwrapped(content)
    classes = read_classes(given.classes, content)
    maps = HEADS[given.head].kind == "maps"
    rule = weights_rule(state) or ("mmseg" if maps else "mmdet")
    is_windowed = given.model.startswith("stvit_r_swin_") if given.windowed is None else given.windowed
    without_auxiliary = given.head == "upernet" and not any(key.startswith("auxiliary_head.") for key in state)
    model = create_dense(
        given.head,
        backbone=given.model,
        num_classes=len(classes),
        head_rule=rule if rule in HEADS[given.head].rules else "ours",  # of another head, which load_dense says
        backbone_options=RELEASED_WINDOWS if is_windowed else None,
        **({"auxiliary_weight": 0.0} if without_auxiliary else {}),
    )
    report = load_dense(model, content)
    metadata = (map_metadata if maps else box_metadata)(given, model.describe(), classes)
    write(given.out, {f"model.{name}": value for name, value in model.state_dict().items()}, metadata)
    print(f"{given.checkpoint}: {report}\n{given.out}: {given.head} around {given.model}, {len(classes)} classes")


def box_metadata(given: Given, description: Mapping[str, Any], classes: Sequence[str]) -> dict[str, Any]:
    """What the checkpoint of a detector says."""
    sizes: dict[str, Any] = {"short_side": given.short_side or 800, "long_side": given.long_side or 1333}
    return detector_metadata(
        task="instance" if HEADS[given.head].masks else "detection",
        description=description,
        classes=classes,
        category_ids=list(range(1, len(classes) + 1)),
        preprocessing=PictureSizes(**sizes, antialias=description["head_rule"] == "ours").to_dict(),
        config={"data": {"source": "coco"}, "model": {"name": given.model}},
    )


def map_metadata(given: Given, description: Mapping[str, Any], classes: Sequence[str]) -> dict[str, Any]:
    """What the checkpoint of a segmenter says."""
    sizes: dict[str, Any] = {"short_side": given.short_side or 512, "long_side": given.long_side or 2048}
    return segmenter_metadata(
        description=description,
        classes=classes,
        preprocessing=MapSizes(**sizes, antialias=description["head_rule"] == "ours").to_dict(),
        config={"data": {"source": "ade"}, "model": {"name": given.model}},
    )


def read_classes(path: str | None, content: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the classes: of a text file, or those that the checkpoint tells.

    Raises:
        ValueError: there are none.
        OSError: the file can't be read.
    """
    told = class_names(content) if path is None else tuple(Path(path).read_text(encoding="utf-8").split("\n"))
    names = tuple(name.strip() for name in told or () if name.strip())
    if not names:
        raise CheckpointError(
            "the file does not tell the names of its classes; give classes=names.txt, a name a line in their order"
        )
    return names


def write(path: Path, state: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Write the checkpoint in one step."""
    with atomically(path) as part, part.open("wb") as opened:
        torch.save({"state_dict": dict(state), METADATA_KEY: dict(metadata)}, opened)


def main(arguments: Sequence[str] | None = None) -> int:
    """Import a detector or segmenter; gives the exit status."""
    return COMMAND.run(import_detector, arguments)


if __name__ == "__main__":
    sys.exit(main())

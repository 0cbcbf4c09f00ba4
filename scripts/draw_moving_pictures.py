#!/usr/bin/env python3
"""Draw clips in which annotated pictures and objects of them move, with the exact truth of every frame.

python scripts/draw_moving_pictures.py json=bccd/annotations/instances_val.json images=bccd/val out=clips/val
"""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.layouts.coco import find_coco_folders
from stvit_video.data.loading.picture_source import PictureSource
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.data.synthetic.moving_pictures import KnownPicture, Movement, MovingFrame, draw_moving, ellipse_in
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.mask_runs import runs_of_mask
from stvit_video.utils.value_kinds import PATH, positive_number, sizes, whole

DONE, MADE = "annotations.json", ("frames", "maps", "classes.txt")  # what a folder of clips holds
QUALITY = 95  # of the JPEG files
MAX_CLASSES = 254  # of a label map, beside the ground and the label that is not counted
COMMAND = Command(
    prog="python scripts/draw_moving_pictures.py",
    summary="Draw clips in which annotated pictures and objects of them move, with the exact truth of every frame.",
    settings=(
        Setting(name="json", kind=PATH, help="annotations of the pictures, in COCO's format", is_needed=True),
        Setting(name="images", kind=PATH, help="folder or .zip of the pictures", is_needed=True),
        Setting(name="out", kind=PATH, help="folder for the clips", is_needed=True),
        Setting(name="clips", kind=whole(low=1), help="clips to draw", default_words="one of each picture"),
        Setting(name="frames", kind=whole(low=2), help="frames of a clip", default=16),
        Setting(name="step", kind=positive_number(), help="pixels that the picture moves a frame", default=4.0),
        Setting(name="objects", kind=whole(low=0), help="objects that move over the picture, at most", default=4),
        Setting(
            name="size",
            kind=sizes(max_axes=2),
            help="pixels of a frame, 240x320 or 240",
            default_words="three quarters of each side of the picture",
        ),
        Setting(name="seed", kind=whole(low=0), help="of all movements", default=0),
    ),
    examples=(
        "python scripts/draw_moving_pictures.py json=bccd/annotations/instances_val.json images=bccd/val out=clips/val",
        "python scripts/draw_moving_pictures.py json=cells.json images=cells out=clips/train clips=500 step=8 seed=1",
    ),
    notes="The folder gets frames/clip000/0000.jpg and annotations.json, for data=coco_folders "
    "data.val_json=clips/val/annotations.json data.val_images=clips/val/frames. Where the pictures have outlines, it "
    "also gets maps/clip000/0000.png and classes.txt, for data=label_maps. The same settings draw the same clips.",
)


def draw_clips(options: Given) -> None:
    """Draw all clips and write their annotations last.

    Raises:
        ValueError: ManifestError, a folder that holds something else, or no picture that can be read.
        OSError: a file can't be read or written.
    """
    places = {"val_json": str(options.json), "val_images": str(options.images)}
    pictures = find_coco_folders("val", known_classes=None, **places)()
    if len(pictures.classes) > MAX_CLASSES and pictures.has_outlines:
        raise ValueError(f"{options.json} has {len(pictures.classes)} classes, label maps hold {MAX_CLASSES}")
    prepare(options.out)
    side = options.size and (options.size if len(options.size) == 2 else options.size * 2)
    movement = Movement(num_frames=options.frames, size=side, step=options.step, num_pasted=options.objects)
    source = PictureSource(pictures, masks=pictures.has_outlines)
    num_pictures = len(pictures.records)
    num_clips = options.clips or num_pictures
    writer = ClipWriter(options.out, pictures)
    for clip in range(num_clips):
        index = clip * num_pictures // num_clips if num_clips < num_pictures else clip % num_pictures
        try:
            known = known_picture(source, index)
        except DecodeError as error:
            print(f"note: no clip{clip:03d}: {error}", file=sys.stderr)
            continue
        frames = draw_moving(known, movement=movement, rng=np.random.default_rng([options.seed, clip]))
        for number, frame in enumerate(frames):
            writer.write(frame, clip=f"clip{clip:03d}", number=number, drawn_from=pictures.records[index].video_id)
    writer.finish()
    document = writer.document
    num_objects = sum(not row["iscrowd"] for row in document["annotations"])
    print(f"{options.out}: {len(document['images'])} frames of {writer.num_clips} clips, {num_objects} objects")


def prepare(out: Path) -> None:
    """Make the folder; clips that an earlier start has drawn are removed.

    Raises:
        ValueError: it holds something else.
        OSError: it can't be made.
    """
    others = sorted(path.name for path in out.iterdir() if path.name not in (DONE, *MADE)) if out.is_dir() else []
    if others:
        raise ValueError(f"{out} holds {others[0]!r}, which is no part of drawn clips; give out= a folder of its own")
    out.mkdir(parents=True, exist_ok=True)
    (out / DONE).unlink(missing_ok=True)  # first: without it the folder is unfinished
    for name in MADE:
        shutil.rmtree(out / name) if (out / name).is_dir() else (out / name).unlink(missing_ok=True)


def known_picture(source: PictureSource, index: int) -> KnownPicture:
    """A listed picture and its objects; without outlines their masks are the ellipses in their boxes.

    Where others have outlines, an object without one is to be ignored, and its box is its mask.

    Raises:
        DecodeError: it can't be read.
    """
    sample = source.read(index, learned_only=False)
    height, width = sample.size
    boxes, crowd = sample.boxes.double().numpy(), sample.crowd.numpy().copy()
    distances = [ellipse_in(box, height=height, width=width) for box in boxes]
    masks = np.array([distance < 1 for distance in distances], dtype=np.bool_).reshape(-1, height, width)
    if sample.masks is not None:
        drawn = sample.masks.numpy().astype(np.bool_)
        empty = np.logical_not(drawn.any((1, 2)))
        crowd |= empty
        masks = np.where(empty[:, None, None], masks, drawn)
    return KnownPicture(
        picture=np.ascontiguousarray(sample.picture.permute(1, 2, 0).numpy()),
        masks=masks,
        boxes=None if source.masks else boxes,
        labels=sample.labels.numpy(),
        crowd=crowd,
    )


class ClipWriter:
    """Writes frames, and their truth as a document of COCO with "video" and "frame_index".

    Args:
        out: the folder.
        pictures: what the clips are drawn from.
    """

    def __init__(self, out: Path, pictures: AnnotatedPictures) -> None:
        self.out, self.pictures = out, pictures
        self.document: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": [], "categories": []}

    @property
    def num_clips(self) -> int:
        """Clips that were written."""
        return len({row["video"] for row in self.document["images"]})

    def write(self, frame: MovingFrame, *, clip: str, number: int, drawn_from: str) -> None:
        """Write one frame.

        Args:
            frame: the frame.
            clip: name of its clip.
            number: of the frame in it.
            drawn_from: name of the picture.

        Raises:
            OSError: a file can't be written.
        """
        name, images = f"{clip}/{number:04d}.jpg", self.document["images"]
        (self.out / "frames" / clip).mkdir(parents=True, exist_ok=True)
        Image.fromarray(frame.picture).save(self.out / "frames" / name, quality=QUALITY)
        height, width = frame.picture.shape[:2]
        image = {"id": len(images) + 1, "file_name": name, "width": width, "height": height}
        images.append(image | {"video": clip, "frame_index": number, "drawn_from": drawn_from})
        for place in range(len(frame.labels)):
            self._write_object(frame, place)
        if self.pictures.has_outlines:
            (self.out / "maps" / clip).mkdir(parents=True, exist_ok=True)
            Image.fromarray(frame.label_map()).save((self.out / "maps" / name).with_suffix(".png"))

    def _write_object(self, frame: MovingFrame, place: int) -> None:
        annotations, box = self.document["annotations"], frame.boxes[place]
        row = {
            "id": len(annotations) + 1,
            "image_id": len(self.document["images"]),
            "category_id": self.pictures.category_ids[frame.labels[place]],
            "bbox": box.tolist(),
            "area": float(frame.masks[place].sum() if self.pictures.has_outlines else box[2] * box[3]),
            "iscrowd": int(frame.crowd[place]),
        }
        outline = {"segmentation": runs_of_mask(frame.masks[place])} if self.pictures.has_outlines else {}
        annotations.append(row | outline)

    def finish(self) -> None:
        """Write the names of the classes, and the annotations.

        Raises:
            ValueError: there is no frame.
            OSError: a file can't be written.
        """
        if not self.document["images"]:
            raise ValueError(f"none of the {len(self.pictures.records)} pictures can be read; check images=")
        named = zip(self.pictures.category_ids, self.pictures.classes, strict=True)
        self.document["categories"] = [{"id": n, "name": name} for n, name in named]
        if self.pictures.has_outlines:
            write_text(self.out / "classes.txt", "\n".join(["background", *self.pictures.classes]) + "\n")
        write_text(self.out / DONE, json.dumps(self.document))


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw; gives the exit status."""
    return COMMAND.run(draw_clips, arguments)


if __name__ == "__main__":
    sys.exit(main())

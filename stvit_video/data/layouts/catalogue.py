"""The layouts by name: `data.source` -> what finds lists and videos.

The keyword arguments of a finder, without `part` and `known_classes`, are the settings of its layout; its docstring has
their help. docs/develop/add_a_layout.md says how to add one.
"""

from collections.abc import Callable

from stvit_video.data.layouts.ade import find_ade
from stvit_video.data.layouts.class_folders import find_class_folders
from stvit_video.data.layouts.coco import find_coco, find_coco_folders
from stvit_video.data.layouts.csv_list import find_csv_list
from stvit_video.data.layouts.drawn_maps import find_drawn_maps
from stvit_video.data.layouts.drawn_shapes import find_drawn_shapes
from stvit_video.data.layouts.embedded import find_embedded
from stvit_video.data.layouts.hmdb51 import find_hmdb51
from stvit_video.data.layouts.image_folder import find_image_folder
from stvit_video.data.layouts.kinetics import find_kinetics
from stvit_video.data.layouts.label_maps import find_label_maps
from stvit_video.data.layouts.places import Reading
from stvit_video.data.layouts.pytorchvideo import find_pytorchvideo
from stvit_video.data.layouts.something_something import find_something_something
from stvit_video.data.layouts.tar_shards import find_tar_shards
from stvit_video.data.layouts.ucf101 import find_ucf101
from stvit_video.data.layouts.voc_boxes import find_voc_boxes
from stvit_video.data.layouts.voc_segments import find_voc_segments

LAYOUTS: dict[str, Callable[..., Reading]] = {
    "ade": find_ade,
    "coco": find_coco,
    "coco_folders": find_coco_folders,
    "csv": find_csv_list,
    "drawn_maps": find_drawn_maps,
    "drawn_shapes": find_drawn_shapes,
    "folder": find_class_folders,
    "hmdb51": find_hmdb51,
    "image_folder": find_image_folder,
    "kinetics": find_kinetics,
    "label_maps": find_label_maps,
    "shards": find_tar_shards,
    "pytorchvideo": find_pytorchvideo,
    "something_something_v2": find_something_something,
    "synthetic": find_embedded,
    "ucf101": find_ucf101,
    "voc_boxes": find_voc_boxes,
    "voc_segments": find_voc_segments,
}
BOX_LAYOUTS = ("coco", "coco_folders", "drawn_shapes", "voc_boxes")  # pictures whose labels are objects in boxes
MAP_LAYOUTS = ("ade", "drawn_maps", "label_maps", "voc_segments")  # pictures with a label for each pixel
PICTURE_LAYOUTS = ("image_folder", *BOX_LAYOUTS, *MAP_LAYOUTS)  # of one frame each

"""The layouts by name: `data.source` -> what finds lists and videos.

The keyword arguments of a finder, without `part` and `known_classes`, are the settings of its layout; its docstring has
their help. docs/develop/add_a_layout.md says how to add one.
"""

from collections.abc import Callable

from stvit_video.data.layouts.class_folders import find_class_folders
from stvit_video.data.layouts.csv_list import find_csv_list
from stvit_video.data.layouts.embedded import find_embedded
from stvit_video.data.layouts.hmdb51 import find_hmdb51
from stvit_video.data.layouts.image_folder import find_image_folder
from stvit_video.data.layouts.kinetics import find_kinetics
from stvit_video.data.layouts.places import Reading
from stvit_video.data.layouts.pytorchvideo import find_pytorchvideo
from stvit_video.data.layouts.something_something import find_something_something
from stvit_video.data.layouts.tar_shards import find_tar_shards
from stvit_video.data.layouts.ucf101 import find_ucf101

LAYOUTS: dict[str, Callable[..., Reading]] = {
    "csv": find_csv_list,
    "folder": find_class_folders,
    "hmdb51": find_hmdb51,
    "image_folder": find_image_folder,
    "kinetics": find_kinetics,
    "shards": find_tar_shards,
    "pytorchvideo": find_pytorchvideo,
    "something_something_v2": find_something_something,
    "synthetic": find_embedded,
    "ucf101": find_ucf101,
}
PICTURE_LAYOUTS = ("image_folder",)  # of one frame each

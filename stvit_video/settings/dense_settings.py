"""The settings that trainings of detectors and segmenters share and classification does not have."""

from stvit_video.settings.declare import MISSING, OpenGroup, setting
from stvit_video.settings.train_settings import TaskSettings
from stvit_video.utils.choices import HeadRuleName


class HeadSettings(OpenGroup):
    """The neck and head behind the backbone; the options of a head are declared in `stvit_video/dense`, in `options.py`
    and `segmenter_options.py`.
    """

    name: str = setting(
        MISSING,
        "boxes: faster_rcnn, mask_rcnn, cascade_mask_rcnn or retinanet; a label for each pixel: semantic_fpn or "
        "upernet; head=NAME chooses it",
    )
    head_rule: HeadRuleName = setting(
        "ours",
        "how anchors, pooling, losses and the like are computed: mmdet, torchvision, mmseg = as for weights of these, "
        "which init_from names",
    )


class DenseSettings(TaskSettings):
    """The settings of trainings with a head behind the backbone."""

    head: HeadSettings = HeadSettings()

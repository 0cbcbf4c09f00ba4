"""The settings of trainings for detection and instance segmentation that classification does not have."""

from stvit_video.settings.declare import MISSING, OpenGroup, setting
from stvit_video.settings.train_settings import TaskSettings
from stvit_video.utils.choices import HeadRuleName


class HeadSettings(OpenGroup):
    """The neck and head behind the backbone; the options of a head are declared in `stvit_video/dense/options.py`."""

    name: str = setting(MISSING, "faster_rcnn, mask_rcnn, cascade_mask_rcnn or retinanet; head=NAME chooses it")
    head_rule: HeadRuleName = setting(
        "ours",
        "how anchors, pooling and the like are computed: mmdet, torchvision = as for weights of these, which init_from "
        "names",
    )


class DetectionSettings(TaskSettings):
    """All settings of stvit_video.train for task=detection and task=instance."""

    head: HeadSettings = HeadSettings()

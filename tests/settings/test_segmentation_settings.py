from stvit_video.settings.reading import default_values
from stvit_video.settings.segmentation_settings import SegmentationSettings
from stvit_video.settings.task_kinds import TASK_SETTINGS


def test_the_task_has_a_head_and_no_protocol():
    values = default_values(TASK_SETTINGS["semantic"])
    assert TASK_SETTINGS["semantic"] is SegmentationSettings
    assert "head" in values
    assert "protocol" not in values

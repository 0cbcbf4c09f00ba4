from stvit_video.settings.dense_settings import DenseSettings
from stvit_video.settings.detection_settings import DetectionSettings


def test_it_has_what_all_dense_tasks_have():
    assert set(DetectionSettings.model_fields) == set(DenseSettings.model_fields)
    assert "task=detection and task=instance" in DetectionSettings.__doc__

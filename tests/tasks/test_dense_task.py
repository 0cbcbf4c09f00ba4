"""What both tasks answer alike is tried with each of them, in test_detection.py and test_semantic_segmentation.py."""

from stvit_video.config.dense_consistency import LAYOUTS_OF
from stvit_video.tasks.dense_task import DenseTask
from stvit_video.tasks.detection import Detection
from stvit_video.tasks.semantic_segmentation import SemanticSegmentation


def test_places_are_looked_for_only_in_layouts_of_the_kind(tiny_detector, tiny_segmenter):
    for task, run in ((Detection(), tiny_detector), (SemanticSegmentation(), tiny_segmenter)):
        settings = task.read({**run.settings, "data": {**run.settings["data"], "root": "/no/where"}}).settings
        assert isinstance(task, DenseTask)
        assert settings.data.source in LAYOUTS_OF[task.kind.finds]
        other = settings.with_changes(data=settings.data.model_copy(update={"source": "csv"}))
        assert task.place_faults(other, ()) == []
        assert task.place_faults(settings, ("data.root",)) == []


def test_metadata_and_parts_stay_as_they_are(tiny_segmenter):
    task = SemanticSegmentation()
    assert task.modern({"task": "semantic"}) == {"task": "semantic"}
    assert task.parts(task.read(tiny_segmenter.settings).settings) is None

from stvit_video.detections.trained_detector import load_trained_detector
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.segmentations.trained_segmenter import load_trained_segmenter
from stvit_video.trained.checkpoint_kinds import kind_of_checkpoint


def test_the_task_in_the_file_says_what_loads_it(tiny_run, tiny_detector, tiny_segmenter):
    checkpoints = tiny_run.checkpoint, tiny_detector.checkpoint, tiny_segmenter.checkpoint
    loads = [kind_of_checkpoint(path).load for path in checkpoints]
    assert loads == [load_recognizer, load_trained_detector, load_trained_segmenter]
    assert kind_of_checkpoint(3).load is load_recognizer  # which says what it takes

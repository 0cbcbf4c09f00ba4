"""The card of a bundle: what is fixed in the graph stands in place of what a checkpoint may choose."""

import pytest

from stvit_video.exporting.bundle_card import bundle_card
from stvit_video.exporting.parity import Parity

METADATA = {
    "model": {"name": "stvit_video_deit_tiny", "options": {"depth": 4, "elastic": [2, 4]}},
    "classes": ["jump", "run", "sit"],
    "preprocessing": {
        **{"num_frames": 4, "frame_stride": 2, "short_side": 20, "crop_size": 16},
        **{"mean": [0.5] * 3, "std": [0.25] * 3},
    },
    "multi_label": False,
    "versions": {"stvit_video": "9.8"},
    "config": {"data": {"source": "csv"}},
}
DESCRIPTION = {
    "format": "onnx",
    "precision": "fp32",
    "graphs": {"clip": "clip.onnx"},
    "input": [None, 4, 16, 16, 3],
    "versions": {"stvit_video": "9.9", "onnx": "1.23"},
    "num_tokens": 2,
    "generate_at": 1,
}
SPEED = {
    "rows": [{"threads": 1, "way": "onnxruntime 1.32", "cpu_seconds": 0.0123, "clips_per_second": 45.6}],
    **{"commit": "abc", "hardware": "a processor", "num_cores": 2, "cpu_flags": {"AMX": False}, "date": "2026-11-29"},
}


def card(description=DESCRIPTION, speed=SPEED, result=None):
    parity = Parity(runtime="onnxruntime 1.32", difference=2e-6, tolerance=1e-3)
    return bundle_card(
        METADATA, description, parity=parity, speed=speed, result=result, num_parameters=1_234_567, megabytes=4.94
    )


@pytest.mark.parametrize(
    "words",
    [
        "# stvit_video_deit_tiny for onnx",
        "`clip.onnx` takes (B, 4, 16, 16, 3) clips of bytes",
        "* graph: onnx in fp32, 4.9 MB, written by stvit_video 9.9, onnx 1.23",
        "* difference: onnxruntime 1.32 is off by 2e-06 of PyTorch's logits",
        "* speed of a clip, 1 thread: onnxruntime 1.32 12.3 ms of CPU time, 45.6 clips/s",
        "* speed measured with: commit abc, a processor, 2 cores, no AMX, 2026-11-29",
        "* tokens: the graph makes 2 semantic tokens; another number is another export",
        "* place of generation: after 1 blocks",
        "* parameters: 1.23 M",
        "* accuracy: not measured",
    ],
)
def test_what_it_says(words):
    assert words in card()
    assert "model.set_num_tokens" not in card()


def test_a_grid_a_dense_model_and_no_speed():
    assert "* tokens: the graph makes 2x3 semantic" in card({**DESCRIPTION, "num_tokens": [2, 3]})
    dense = card({**DESCRIPTION, "num_tokens": None, "generate_at": None}, speed=None)
    assert "* tokens" not in dense
    assert "* speed" not in dense


def test_it_names_the_file_of_labels_that_a_bundle_has():
    assert "see labels.txt for their order" in card()
    assert "labels.json" not in card()

"""Two graphs as one: every step is encoded once, in order, and the window is decided on."""

import numpy as np
import pytest

from stvit_video.bundles import stream_pair as module
from stvit_video.bundles.stream_pair import StreamPair, open_clip_graph


class Encode:
    """The sums of the frames of a step, over their rows."""

    runtime = "encode 1"

    def __call__(self, frames):
        assert frames.shape[1] == 2
        return frames.sum(axis=(1, 2)).astype(np.float32)  # (B, W, 3)


class Decide:
    """The first of a window counts once, the second twice, ..."""

    runtime = "decide 1"

    def __call__(self, tokens):
        weights = np.arange(1, tokens.shape[1] + 1).reshape(-1, 1, 1)
        return (tokens * weights).sum(axis=(1, 2))


def test_steps_are_encoded_in_order():
    frames = np.random.default_rng(0).integers(0, 256, (3, 6, 5, 7, 3), dtype=np.uint8)
    weights = np.array([1, 1, 2, 2, 3, 3]).reshape(1, 6, 1, 1, 1)
    by_hand = (frames * weights).sum(axis=(1, 2, 3))
    pair = StreamPair(Encode(), Decide(), frames_per_step=2)
    np.testing.assert_array_equal(pair(frames), by_hand)
    assert pair.runtime == "decide 1"


def test_graphs_are_opened_by_their_names(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(module, "open_graph", lambda path, **settings: opened.append((path.name, settings)) or Encode())
    settings = {"format": "onnx", "precision": "fp32", "num_threads": 3}
    assert isinstance(open_clip_graph({"clip": tmp_path / "clip.onnx"}, **settings), Encode)
    pair = open_clip_graph(
        {"decide": tmp_path / "b.onnx", "encode": tmp_path / "a.onnx"}, frames_per_step=2, **settings
    )
    assert opened == [(name, settings) for name in ("clip.onnx", "a.onnx", "b.onnx")]
    assert pair.frames_per_step == 2
    with pytest.raises(KeyError):
        open_clip_graph({"encode": tmp_path}, **settings)

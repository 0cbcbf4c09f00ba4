"""A recognizer that keeps what is pushed to it, in place of a model."""

import time

import numpy as np
from stamped_video import picture_number

from stvit_video.data.transforms.preprocessing import Preprocessing


class NotingRecognizer:
    """Answers with the numbers that the newest frame and the first frame of the window show, see `numbered_picture`.

    Attributes:
        pushed: (seconds, number) of each frame since the start.
        windows: numbers of the frames of each window that was answered.
        resets: how many frames had been pushed at each reset.
    """

    multi_label = False

    def __init__(self, *, num_frames=4, stride_frames=2, frame_stride=1, target_fps=None, push_seconds=0.0):
        self.num_frames, self.stride_frames, self.target_fps = num_frames, stride_frames, target_fps
        self.preprocessing = Preprocessing(
            num_frames=num_frames, frame_stride=frame_stride, short_side=20, crop_size=16
        )
        self.push_seconds = push_seconds
        self.spent = {"preprocess": 0.0, "encode": 0.0, "decide": 0.0}
        self.pushed, self.windows, self.resets, self.sizes = [], [], [], []
        self.window_seconds = None
        self._since_reset = []

    def push(self, frames, *, seconds=None):
        assert frames.dtype == np.uint8
        assert frames.shape[0] == len(seconds) == 1
        assert frames.shape[3] == 3
        one = (float(seconds[0]), picture_number(frames[0]))
        self.pushed.append(one)
        self.sizes.append(frames.shape[1:3])
        self._since_reset.append(one)
        time.sleep(self.push_seconds)
        self.spent["preprocess"] += 1.0
        self.spent["encode"] += 2.0
        later = len(self._since_reset) - self.num_frames
        if later < 0 or later % self.stride_frames:
            return []
        self.spent["decide"] += 4.0
        window = self._since_reset[-self.num_frames :]
        self.windows.append([number for _, number in window])
        self.window_seconds = (window[0][0], window[-1][0])
        return [(one[0], np.array([window[-1][1], window[0][1]], np.float32))]

    def probabilities(self, logits):
        odds = np.exp(logits - logits.max())
        return odds / odds.sum()

    def reset(self):
        self.resets.append(len(self.pushed))
        self._since_reset, self.window_seconds = [], None

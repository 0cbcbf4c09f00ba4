"""Long random clips and what a model says of every window in them, to hold streams against."""

from dataclasses import replace

import numpy as np
import torch
from short_models import preprocessing_of, short_model

from stvit_video.streaming.streaming_recognizer import StreamingRecognizer

LONG = {  # frames of a window and pixels of a side
    "stvit_video_deit_tiny": (16, 16),
    "stvit_video_casvit_xs": (5, 32),
}


def long_model(name, **options):
    """A short model with a window of several steps, and what it is fed with."""
    num_frames, size = LONG[name]
    sizes = replace(preprocessing_of(name), num_frames=num_frames, short_side=size, crop_size=size)
    return short_model(name, num_frames=num_frames, image_size=size, **options), sizes


def distinct_frames(name, num_frames, *, seed=0):
    """A clip (C, n, H, W) of which no two frames are alike."""
    _, size = LONG[name]
    return torch.randn(3, num_frames, size, size, generator=torch.Generator().manual_seed(seed))


def streamed(name, **settings):
    """A model, and a stream of it."""
    model, sizes = long_model(name)
    return model, StreamingRecognizer(model, preprocessing=sizes, **settings)


def logits_of_windows(model, frames, ends, *, num_frames):
    """Logits (n, num_classes) of the windows that end before these frames, each as a whole clip."""
    unique, places = np.unique(ends, return_inverse=True)
    clips = torch.stack([frames[:, end - num_frames : end] for end in unique.tolist()])  # (n, C, T, H, W)
    with torch.no_grad():
        return torch.cat([model(part) for part in clips.split(16)]).float().numpy()[places]


def ends_of(answers, *, fps):
    """Frames that were pushed at each answer, by the times."""
    return [round(seconds * fps) + 1 for seconds, _ in answers]


def stacked(answers):
    """Logits (n, num_classes) of answers."""
    return np.stack([logits for _, logits in answers])

"""The embedded data set: clips that are drawn, whose every motion is known exactly."""

from stvit_video.data.synthetic.dataset import encode_video, write_synthetic_dataset

__all__ = ["encode_video", "write_synthetic_dataset"]

"""Training clips: which frames of a video they take, and how those of several videos become a batch."""

from dataclasses import dataclass

import torch

from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.training_indices import (
    training_frame_indices,
    training_scaled_indices,
    training_segment_indices,
    training_timed_indices,
)
from stvit_video.utils.choices import Sampling, ShortVideo


@dataclass(frozen=True, kw_only=True)
class ClipSampling:
    """How training clips are drawn.

    Attributes:
        sampling: "dense" = frames at a fixed distance from a random start; "segments" = one random frame of each of
            num_frames equal parts of the video, the distance between frames is not used.
        target_fps: frames per second that the distance is meant for: in a video of another rate it is scaled, so that
            clips last equally many seconds, and of a variable rate the frame shown at each wanted time is taken; None =
            distance in frames of the video, whatever its rate.
        short_video: what a clip does that is longer than its video: "repeat_last", "loop", or "error", which makes the
            video count as unreadable.

    Raises:
        ValueError: target_fps stands beside sampling="segments".
    """

    sampling: Sampling = "dense"
    target_fps: float | None = None
    short_video: ShortVideo = "repeat_last"

    def __post_init__(self) -> None:
        if self.target_fps is not None and self.sampling == "segments":
            raise ValueError(
                f"target_fps={self.target_fps} has no effect beside sampling='segments', which spans every video "
                "as a whole; leave target_fps out, or use sampling='dense'"
            )

    def draw(
        self,
        times: FrameTimes,
        *,
        num_frames: int,
        frame_stride: int,
        generator: torch.Generator,
    ) -> list[int]:
        """Draw one clip.

        Args:
            times: of the frames of the video (or segment).
            num_frames: frames in the clip.
            frame_stride: distance between two frames of the clip.
            generator: source of the draw.

        Returns:
            `num_frames` indices in 0 .. num_video_frames - 1.

        Raises:
            ValueError: a number is out of range, or the video is too short and `short_video` is "error".
        """
        if self.sampling == "segments":
            return training_segment_indices(
                times.num_frames, num_frames=num_frames, generator=generator, short_video=self.short_video
            )
        if self.target_fps is None:
            return training_frame_indices(
                times.num_frames,
                num_frames=num_frames,
                frame_stride=frame_stride,
                generator=generator,
                short_video=self.short_video,
            )
        if not times.is_constant:
            return training_timed_indices(
                times,
                num_frames=num_frames,
                frame_stride=frame_stride,
                target_fps=self.target_fps,
                generator=generator,
                short_video=self.short_video,
            )
        return training_scaled_indices(
            times.num_frames,
            num_frames=num_frames,
            frame_stride=frame_stride,
            fps=times.fps,
            target_fps=self.target_fps,
            generator=generator,
            short_video=self.short_video,
        )

"""Which frames of a video are key frames, whose semantic tokens the frames behind them share."""

from collections.abc import Hashable, Sequence

from stvit_video.layers.numbers import whole_number
from stvit_video.tokens.shared_tokens import KeptTokens, SharedTokens


class KeyFrames:
    """The key frames of videos whose frames come in batches.

    Every `key_every`-th frame of a sequence is a key frame. Where it is missing the first one behind it is, and where
    the size of the pictures changes there is one of the new size. What a frame gets does not depend on how frames are
    put into batches, as long as those of a sequence come in order and next to one another.

    Args:
        key_every: frames from one key frame to the next; 1 = every frame is one.

    Raises:
        ValueError: `key_every` is no whole number from 1 on.
    """

    def __init__(self, key_every: int) -> None:
        self.key_every = whole_number("key_every", key_every)
        self._kept: KeptTokens = {}
        self._num_frames = 0  # that `shared_by_next` has counted

    def shared(self, sequences: Sequence[Hashable], places: Sequence[int]) -> SharedTokens | None:
        """What the frames of the next batch share.

        Args:
            sequences: the sequence of every frame.
            places: of every frame in its sequence, from 0.

        Returns:
            For the forward pass of the batch; None = every frame is a key frame.
        """
        if self.key_every == 1:
            return None
        runs = [(name, place // self.key_every) for name, place in zip(sequences, places, strict=True)]
        self._kept = {name: tokens for name, tokens in self._kept.items() if name[0] in runs}
        return SharedTokens(runs, kept=self._kept)

    def shared_by_next(self, num_frames: int) -> SharedTokens | None:
        """What the next frames of the only video share, see `shared`; its frames are counted here."""
        first, self._num_frames = self._num_frames, self._num_frames + num_frames
        return self.shared([0] * num_frames, range(first, self._num_frames))


def clip_tokens(num_frames: int, *, clip_frames: int) -> SharedTokens | None:
    """What the frames of a batch of clips share, in training: those of a clip the tokens of its first frame.

    Args:
        num_frames: of the batch, clip behind clip.
        clip_frames: of a clip; 1 = there are pictures, which share nothing.

    Raises:
        ValueError: the batch does not consist of whole clips.
    """
    if num_frames % whole_number("clip_frames", clip_frames):
        raise ValueError(
            f"{num_frames} frames are no whole clips of clip_frames={clip_frames}; give a multiple of it in a batch"
        )
    return None if clip_frames == 1 else SharedTokens([row // clip_frames for row in range(num_frames)])

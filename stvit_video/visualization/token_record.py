"""What the tokens of a video have seen, and what each says for a label: plain arrays, as pictures are drawn of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np

__all__ = ["LEAST_COMPARED", "NUM_NAMED", "ClipTokens", "TokenValues", "VideoTokens", "correlation"]

TokenValues = Literal["contributions", "occlusions"]  # fields of `ClipTokens`, a value for each token
NUM_NAMED = 8  # tokens that have a colour and a column of their own; the others are "other"
FULL_QUANTILE = 0.99  # of the sizes of values in the cells of a video: what class maps draw in full colour
FULL_PART = 0.25  # of the largest size, which is full colour where the quantile is less
FPS_OF_STILLS = 2.0  # of clips of one frame each, which may be far apart in the video
LEAST_COMPARED = 3  # tokens of a clip, of which any two values have a correlation


@dataclass(frozen=True, eq=False)
class ClipTokens:
    """The tokens of one clip of a video.

    T, H, W are frames and their pixels as shown; T', H', W' is the grid of image tokens, over all frames in time and
    over `seen` in space; K tokens.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB, the whole frames that the model was fed with.
        seconds: (T,) when each is shown, from the first frame of the video.
        seen: top, left, bottom, right of what the model sees of a frame, in pixels of `frames`.
        sources: (K, T', H', W') float32, how much of each token comes from each image token; sums to 1 for each token.
        contributions: (K,) of the logit of the label: its mean slope on the way from the mean of the other tokens to
            each token, times that way.
        occlusions: (K,) that logit, less what it is without the token.
        logits: (num_classes,) of this clip.
        probabilities: (num_classes,) likewise.
    """

    frames: np.ndarray
    seconds: np.ndarray
    seen: tuple[int, int, int, int]
    sources: np.ndarray
    contributions: np.ndarray
    occlusions: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def shares(self) -> np.ndarray:
        """(K, T', H', W') float32: the share of each token in an image token; sums to 1 for each image token.

        All are 0 for an image token that no token comes from, as random drop has them.
        """
        sums = self.sources.sum(axis=0, keepdims=True)
        return np.divide(self.sources, sums, out=np.zeros_like(self.sources), where=sums > 0)

    @cached_property
    def entropy(self) -> float:
        """How soft the assignment is, mean over image tokens: 0 = each belongs to one token, 1 = to all alike.

        Image tokens that no token comes from do not count.
        """
        if len(self.sources) == 1:
            return 0.0
        shares = self.shares[:, self.shares.any(axis=0)]  # (K, n)
        logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
        return float(-(shares * logs).sum(axis=0).mean() / np.log(len(shares)))

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values of tokens (K,) shared out over what the tokens come from: (T', H', W'), with the same sum."""
        return np.tensordot(values, self.sources, axes=1)

    def frame_step(self, frame: int) -> int:
        """The step of the grid, 0 to T' - 1, that a frame belongs to."""
        return frame * self.sources.shape[1] // len(self.frames)


@dataclass(frozen=True, eq=False, kw_only=True)
class VideoTokens:
    """The tokens of clips of one video, and the label that they are asked about.

    Attributes:
        name: of the file.
        clips: in the order of time, at least one.
        classes: label names.
        label: number of the class that contributions and occlusions are of.
        probabilities: (num_classes,) of the whole video, by the checkpoint's protocol, as `predict` says.
        multi_label: True = each probability stands by itself.
        is_semantic: True = tokens that the model generates; False = a dense model, whose patch tokens are put together
            in the cells of a grid.
        where: in words, where in the model the tokens are, such as "generated after 2 of 6 blocks".
        left_out: in words, how a token was left out for `occlusions`.
        token_grid: of the K tokens.
        fps: frames a second that the model sees; of clips of one frame, the rate at which these follow.
        seconds: how long the video lasts; NaN for a picture.
        protocol: in words.
        model_name: as `create_model` knows it.
        cost: such as {"GMACs a clip": 0.144, "ms a clip": 12.3}, in the order in which they are shown.
        notes: sentences that a reader must know.
        num_views: of the whole video, whose mean the probabilities are.
    """

    name: str
    clips: Sequence[ClipTokens]
    classes: Sequence[str]
    label: int
    probabilities: np.ndarray
    multi_label: bool
    is_semantic: bool
    where: str
    left_out: str
    token_grid: tuple[int, ...]
    fps: float
    seconds: float
    protocol: str
    model_name: str
    cost: Mapping[str, float]
    notes: Sequence[str] = ()
    num_views: int = 1

    @property
    def num_tokens(self) -> int:
        """K."""
        return len(self.clips[0].sources)

    @property
    def is_picture(self) -> bool:
        """True = one frame without a time, of which pictures don't move."""
        return math.isnan(self.seconds)

    @property
    def is_stills(self) -> bool:
        """True = each clip is one frame."""
        return len(self.clips[0].frames) == 1

    @property
    def shown_fps(self) -> float:
        """Frames a second at which clips are played: `fps`, or FPS_OF_STILLS where a clip is one frame."""
        return FPS_OF_STILLS if self.is_stills else self.fps

    @property
    def shows_all(self) -> bool:
        """True = the model sees all of every frame."""
        return all(clip.seen == (0, 0, *clip.frames.shape[1:3]) for clip in self.clips)

    @cached_property
    def sizes(self) -> np.ndarray:
        """(K,) how much each token contributes, for or against: the mean of the sizes over the clips."""
        return np.mean([np.abs(clip.contributions) for clip in self.clips], axis=0)

    @cached_property
    def named(self) -> tuple[int, ...]:
        """Numbers of the tokens with a colour of their own: those of the largest `sizes`, largest first."""
        return tuple(int(number) for number in np.argsort(-self.sizes, kind="stable")[:NUM_NAMED])

    @cached_property
    def entropy(self) -> float:
        """See `ClipTokens.entropy`; mean over the clips."""
        return float(np.mean([clip.entropy for clip in self.clips]))

    def mean(self, values: TokenValues) -> np.ndarray:
        """Values of the tokens, mean over the clips: (K,)."""
        return np.mean([getattr(clip, values) for clip in self.clips], axis=0)

    @cached_property
    def full_share(self) -> float:
        """The largest share that a token has of an image token, in all clips: what pictures draw in full colour."""
        return max(float(clip.shares.max()) for clip in self.clips)

    @cached_property
    def full_values(self) -> Mapping[TokenValues, float]:
        """The size, for or against, of values spread over image tokens that is drawn in full colour; 0.0 = all are 0.

        A few cells are larger, see `largest_values`, so that the others can be seen beside them.
        """
        return {
            values: max(float(np.quantile(sizes, FULL_QUANTILE)), FULL_PART * float(sizes.max()))
            for values, sizes in self._cell_sizes.items()
        }

    @cached_property
    def largest_values(self) -> Mapping[TokenValues, float]:
        """The largest size in all clips of values spread over image tokens."""
        return {values: float(sizes.max()) for values, sizes in self._cell_sizes.items()}

    @cached_property
    def _cell_sizes(self) -> Mapping[TokenValues, np.ndarray]:
        """The sizes in all cells of all clips, in a row."""
        return {
            values: np.abs(np.concatenate([clip.spread(getattr(clip, values)).ravel() for clip in self.clips]))
            for values in get_args(TokenValues)
        }

    @cached_property
    def agreement(self) -> float | None:
        """The `correlation` of contributions and occlusions over the tokens of all clips.

        None = there is none. Tokens of fewer than LEAST_COMPARED a clip tell of the clips, not of the tokens.
        """
        if self.num_tokens < LEAST_COMPARED:
            return None
        return correlation(
            np.concatenate([clip.contributions for clip in self.clips]),
            np.concatenate([clip.occlusions for clip in self.clips]),
        )


def correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    """Pearson's correlation of two values (K,) of each token; None = of fewer than 3, or of those without a spread."""
    if len(first) < LEAST_COMPARED or min(float(np.ptp(values)) for values in (first, second)) == 0:
        return None
    return float(np.corrcoef(first.astype(np.float64), second.astype(np.float64))[0, 1])

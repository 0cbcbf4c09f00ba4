"""The settings of heads that label every pixel, with their ranges."""

from collections.abc import Sequence
from dataclasses import dataclass

from stvit_video.dense.options import HeadOptions
from stvit_video.layers.numbers import number, share, whole_number, whole_numbers

SMALLEST_WINDOW = 32  # pixels, the coarsest stride of the maps


@dataclass(frozen=True, kw_only=True)
class SegmenterOptions(HeadOptions):
    """What all segmenters have.

    Args:
        head_channels: channels of the head's convolutions.
        dropout: share of these channels that are 0 in a step of the training.
        window: side in pixels of the windows in which a picture is looked at in use; null = the whole picture at once.
        window_stride: pixels from window to window; null = two thirds of the window.
    """

    head_channels: int = 128
    dropout: float = 0.1
    window: int | None = None
    window_stride: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("head_channels", whole_number("head_channels", self.head_channels))
        self._set("dropout", share("dropout", self.dropout))
        if self.window is not None:
            self._set("window", whole_number("window", self.window, minimum=SMALLEST_WINDOW))
        if self.window_stride is None:
            return
        self._set("window_stride", whole_number("window_stride", self.window_stride))
        if self.window is None:
            raise ValueError(
                f"window_stride={self.window_stride} needs a window: give window=PIXELS, too, or leave window_stride "
                "out"
            )
        if self.window_stride > self.window:
            raise ValueError(
                f"window_stride={self.window_stride} is not possible with window={self.window}, as pixels would be in "
                f"no window; give window_stride={self.window} or less"
            )

    @property
    def pixels_between_windows(self) -> int | None:
        """From window to window: `window_stride`, or two thirds of the window; None = there are no windows."""
        return self.window and (self.window_stride or max(1, 2 * self.window // 3))


@dataclass(frozen=True, kw_only=True)
class SemanticFpnOptions(SegmenterOptions):
    """What Semantic FPN has.

    Args:
        neck_channels: channels of the pyramid's maps.
    """

    neck_channels: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("neck_channels", whole_number("neck_channels", self.neck_channels))


@dataclass(frozen=True, kw_only=True)
class UperNetOptions(SegmenterOptions):
    """What UPerNet has.

    Args:
        pool_cells: cells along a side of each grid that the coarsest map is pooled to.
        auxiliary_weight: factor of the loss of the auxiliary head on the map at stride 16; 0 = without that head.
        auxiliary_channels: channels of that head's convolution.
    """

    head_channels: int = 512
    pool_cells: Sequence[int] = (1, 2, 3, 6)
    auxiliary_weight: float = 0.4
    auxiliary_channels: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("pool_cells", whole_numbers("pool_cells", self.pool_cells))
        self._set("auxiliary_channels", whole_number("auxiliary_channels", self.auxiliary_channels))
        self._set("auxiliary_weight", number("auxiliary_weight", self.auxiliary_weight))
        if self.auxiliary_weight < 0:
            raise ValueError(f"auxiliary_weight={self.auxiliary_weight} must be at least 0; 0 = without that head")

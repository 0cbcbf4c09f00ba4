"""Models of other libraries with random weights, all from clips (B, C, T, H, W) or images to logits.

Nothing is downloaded. Libraries are imported when their model is built: some are slow, and some may be missing. Of
pytorchvideo only its models are imported, whose modules work with every torchvision; its transforms do not.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from stvit_video.utils.optional import load_optional

Builder = Callable[[tuple[int, ...], int], nn.Module]  # from (T, H, W) or (H, W) and the number of classes
FAST_TO_SLOW = 4  # frames of the fast pathway for one of the slow pathway
STRIDE_PIXELS = 32  # of a ResNet or X3D, from the clip to its last feature map
FOR = "this row of the benchmark"


class TwoPathways(nn.Module):
    """SlowFast for a plain clip: the fast pathway sees all frames, the slow one every fourth."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, clips: Tensor) -> Tensor:
        """(B, C, T, H, W) -> (B, num_classes)."""
        logits: Tensor = self.model([clips[:, :, ::FAST_TO_SLOW], clips])
        return logits


class FramesFirst(nn.Module):
    """A model of transformers for a plain clip: it takes (B, T, C, H, W) and gives an object with `logits`."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, clips: Tensor) -> Tensor:
        """(B, C, T, H, W) -> (B, num_classes)."""
        logits: Tensor = self.model(pixel_values=clips.transpose(1, 2)).logits
        return logits


def torchvision_video(name: str) -> Builder:
    """A video model of torchvision; MViT takes clips of its own size alone, so it never runs at another one."""

    def build(size: tuple[int, ...], num_classes: int) -> nn.Module:
        video = load_optional("torchvision.models.video", needed_for=FOR, install="pip install torchvision")
        model: nn.Module = getattr(video, name)(weights=None, num_classes=num_classes)
        return model

    return build


def x3d(size: tuple[int, ...], num_classes: int) -> nn.Module:
    """X3D-S and X3D-M, which differ in their input alone.

    Source: Feichtenhofer 2020, table 1 and section 4; depth factor 2.2.
    """
    create = _pytorchvideo("x3d").create_x3d
    model: nn.Module = create(
        input_clip_length=size[0], input_crop_size=size[1], depth_factor=2.2, model_num_class=num_classes
    )
    return model


def slow_r50(size: tuple[int, ...], num_classes: int) -> nn.Module:
    """The slow pathway of SlowFast alone: ResNet-50 without temporal strides."""
    model: nn.Module = _pytorchvideo("resnet").create_resnet(
        model_depth=50,
        model_num_class=num_classes,
        stem_conv_kernel_size=(1, 7, 7),
        head_pool_kernel_size=(size[0], *_cells(size)),
    )
    return model


def slowfast_r50(size: tuple[int, ...], num_classes: int) -> nn.Module:
    """SlowFast R50, whose clip is that of the fast pathway.

    Raises:
        ValueError: the number of frames is no multiple of 4.
    """
    if size[0] % FAST_TO_SLOW:
        raise ValueError(f"a clip of {size[0]} frames has no slow pathway; give a multiple of {FAST_TO_SLOW}")
    model: nn.Module = _pytorchvideo("slowfast").create_slowfast(
        model_depth=50,
        model_num_class=num_classes,
        slowfast_fusion_conv_kernel_size=(7, 1, 1),
        head_pool_kernel_sizes=((size[0] // FAST_TO_SLOW, *_cells(size)), (size[0], *_cells(size))),
    )
    return TwoPathways(model)


def transformers_video(name: str, **sizes: Any) -> Builder:
    """A video model of transformers, from its configuration: "VideoMAE", "Timesformer" or "Vivit".

    Args:
        name: the common start of the names of its two classes.
        sizes: of the configuration, where they differ from the library's defaults (base).
    """

    def build(size: tuple[int, ...], num_classes: int) -> nn.Module:
        library = load_optional("transformers", needed_for=FOR, install="pip install transformers")
        side = size[1] if size[1] == size[2] else size[1:]
        config = getattr(library, f"{name}Config")(num_frames=size[0], image_size=side, num_labels=num_classes, **sizes)
        return FramesFirst(getattr(library, f"{name}ForVideoClassification")(config))

    return build


def timm_image(name: str) -> Builder:
    """An image model of timm."""

    def build(size: tuple[int, ...], num_classes: int) -> nn.Module:
        timm = load_optional("timm", needed_for=FOR, install="pip install timm")
        model: nn.Module = timm.create_model(name, img_size=size, num_classes=num_classes)
        return model

    return build


def _pytorchvideo(module: str) -> Any:
    return load_optional(f"pytorchvideo.models.{module}", needed_for=FOR, install="pip install pytorchvideo")


def _cells(size: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of the last feature map of a ResNet, whose strides round up."""
    return -(-size[1] // STRIDE_PIXELS), -(-size[2] // STRIDE_PIXELS)

"""From settings (plain dictionaries) to parts: where the configuration meets the library."""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.errors import HydraException

from stvit_video.data.augment import PixelAugment
from stvit_video.data.mixing import Mixing
from stvit_video.data.multi_scale import MultiScale
from stvit_video.data.training_clips import ClipSampling
from stvit_video.data.transforms import Preprocessing, TrainTransform

PACKAGE_DIR = Path(__file__).resolve().parent
_INSTALLED_CONF = PACKAGE_DIR / "conf"
CONF_DIR = str(_INSTALLED_CONF if _INSTALLED_CONF.is_dir() else PACKAGE_DIR.parent / "conf")

Settings = Mapping[str, Any]


def build_preprocessing(data: Settings) -> Preprocessing:
    """Frames, sizes and normalisation of the `data` settings.

    Raises:
        ValueError: a value is out of range.
    """
    return Preprocessing(
        num_frames=data["num_frames"],
        frame_stride=data["frame_stride"],
        short_side=data["short_side"],
        crop_size=data["crop_size"],
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
        frame_difference=data.get("frame_difference", False),
        interpolation=data.get("interpolation", "bilinear"),
    )


def build_train_transform(augment: Settings, preprocessing: Preprocessing) -> TrainTransform:
    """What a training clip goes through, of the `augment` settings.

    Raises:
        ValueError: a value is out of range, or two contradict each other.
    """
    jitter = augment["short_side_jitter"]
    return TrainTransform(
        preprocessing,
        scale=tuple(augment["scale"]),
        ratio=tuple(augment["ratio"]),
        flip_probability=augment["flip_probability"],
        crop=augment["crop"],
        short_side_jitter=tuple(jitter) if jitter else None,
        pixels=PixelAugment(
            colour_jitter=augment["colour_jitter"],
            hue_jitter=augment["hue_jitter"],
            rand_augment=augment["rand_augment"],
            erase_probability=augment["erase_probability"],
            erase_count=augment["erase_count"],
        ),
        on_device=augment["on_device"],
    )


def build_mixing(augment: Settings) -> Mixing | None:
    """Mixup and cutmix of the `augment` settings; None where both are off.

    Raises:
        ValueError: a value is out of range.
    """
    if not augment["mix_probability"] or not max(augment["mixup_alpha"], augment["cutmix_alpha"]):
        return None
    return Mixing(
        mixup_alpha=augment["mixup_alpha"],
        cutmix_alpha=augment["cutmix_alpha"],
        probability=augment["mix_probability"],
        cutmix_share=augment["cutmix_share"],
    )


def build_multi_scale(data: Settings) -> MultiScale | None:
    """Sizes of the training batches, of the `data` settings; None where these are always of crop_size.

    Raises:
        ValueError: there are not two different sizes, or a batch of less than one video.
    """
    if data["multi_scale"] is None:
        return None
    return MultiScale(
        sizes=tuple(data["multi_scale"]),
        crop_size=data["crop_size"],
        videos_per_batch=data["batch_size"] // data["num_repeats"],
        batch=data["multi_scale_batch"],
    )


def build_sampling(data: Settings) -> ClipSampling:
    """Which frames training clips take, of the `data` settings.

    Raises:
        ValueError: a value is unknown or out of range, or two contradict each other.
    """
    return ClipSampling(sampling=data["sampling"], target_fps=data["target_fps"], short_video=data["short_video"])


def quote_patterns(arguments: Sequence[str]) -> list[str]:
    """Command line arguments, with the quotes that Hydra wants around braces and overrides inside a value.

    For example of `data.shards=a/{000..099}.tar` and `sweep.also=model=video_deit_tiny`, which a shell has unquoted.
    """
    texts = [re.sub(r"^(data\.(?:shards|val_shards|val)=)([^'\"]*\{[^'\"]*)$", r'\1"\2"', text) for text in arguments]
    return [re.sub(r"^(sweep\.also=)([^'\"\[][^']*)$", r"\1'\2'", text) for text in texts]


def run_command(main: Callable[[], None]) -> None:
    """Run a `hydra.main`; a wrong argument, or a run folder that Hydra can't make, ends it with one sentence.

    Args:
        main: it is called without arguments and reads the command line.
    """
    sys.argv[1:] = quote_patterns(sys.argv[1:])
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises its errors and prints no traceback of its own
    try:
        main()
    except HydraException as error:
        cause = f"\n{error.__cause__}" if error.__cause__ else ""
        sys.exit(f"error: {error}{cause}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'a file'} can't be written or read ({error.strerror or error})")

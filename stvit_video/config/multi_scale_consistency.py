"""Find settings of multi-scale training that contradict each other, before anything is read."""

from collections.abc import Sequence

import torch

from stvit_video.factories.data import build_multi_scale
from stvit_video.factories.network import meta_model
from stvit_video.models.base import TokenModel
from stvit_video.settings.augment_settings import AugmentSettings
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.train_settings import ModelSettings, TrainSettings


def multi_scale_faults(settings: TrainSettings) -> list[str]:
    """List what contradicts `data.multi_scale`, a sentence each; nothing if that is null.

    Args:
        settings: of the training.
    """
    try:
        multi_scale = build_multi_scale(settings.data)
    except ValueError as error:
        return [f"data.{error}"]
    if multi_scale is None:
        return []
    largest = multi_scale.sizes[-1]
    return [*_model_faults(settings, multi_scale.sizes), *_cache_faults(settings.data, settings.augment, largest)]


def _model_faults(settings: TrainSettings, sizes: Sequence[int]) -> list[str]:
    """Find sizes that the model refuses; another check reports a model that can't be built."""
    data, options = settings.data, settings.model
    try:
        model = meta_model(options).eval()  # in training an elastic model would draw its counts
    except ValueError:
        return []
    refused = {size: why for size in sizes if (why := _refusal(model, options, data.num_frames, size))}
    if not refused:
        return []
    return [
        f"data.multi_scale={list(sizes)} has sizes that model={options.name} can't take ("
        f"{', '.join(map(str, refused))}): {next(iter(refused.values()))}; correct or leave out these sizes"
    ]


def _refusal(model: TokenModel, options: ModelSettings, num_frames: int, size: int) -> str:
    """The model's error for clips of this size, at every token count that it may draw; "" = it takes them."""
    for count in options.options.get("elastic") or [None]:
        try:
            if count is not None:
                model.set_num_tokens(count)
            with torch.device("meta"), torch.no_grad():  # shapes alone
                model(torch.zeros(2, 3, num_frames, size, size))
        except ValueError as error:
            return str(error)
    return ""


def _cache_faults(data: ClipSettings, augment: AugmentSettings, largest: int) -> list[str]:
    """Refuse a cache of frames that the largest size (pixels) would enlarge."""
    kept = data.cache_short_side or data.short_side
    needed = largest
    if augment.crop != "random_resized":
        short_side = max(augment.short_side_jitter or [data.short_side])
        needed = round(short_side * largest / data.crop_size)
    if data.cache != "memory" or needed <= kept:
        return []
    return [
        f"data.multi_scale with clips of {largest} pixels would enlarge frames kept at {kept} pixels; use "
        f"data.cache_short_side={needed}, or data.cache=none"
    ]

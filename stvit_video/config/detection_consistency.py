"""Find settings of a detector's training that contradict each other, before anything is read."""

from collections.abc import Collection

from stvit_video.config.consistency import shared_contradictions
from stvit_video.config.setting_checks import Check, others_settings, run_checks
from stvit_video.data.layouts.catalogue import BOX_LAYOUTS, LAYOUTS
from stvit_video.dense.create_detector import HEADS, head_options
from stvit_video.factories.detection_parts import meta_detector
from stvit_video.factories.layout_settings import foreign_faults
from stvit_video.settings.augment_settings import ClipAugmentSettings
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.detection_settings import DetectionSettings
from stvit_video.settings.optim_settings import OptimSettings

CLASSIFICATION = "task=classification"
# settings of `optim` that are about labels, heads and slots of classifiers
OF_CLASSIFIERS = (
    *("layer_decay", "train", "probe_epochs", "probe_lr", "sandwich", "sandwich_distill", "class_weights"),
    "label_smoothing",
)
OF_PICTURES = ("flip_probability",)  # of the settings that clips have, those that pictures with boxes have, too
AUGMENT_OF_CLIPS = tuple(name for name in ClipAugmentSettings.model_fields if name not in OF_PICTURES)
OF_CLASSIFICATION = (
    *(f"optim.{name}" for name in OF_CLASSIFIERS),
    *(f"augment.{name}" for name in AUGMENT_OF_CLIPS),
)
OF_CLIPS = (  # settings of `data`
    *("sampling", "target_fps", "short_video", "frame_difference", "static_clip", "num_repeats", "multi_scale"),
    *("multi_scale_batch", "cache", "cache_short_side", "interpolation", "backend", "time_limit_seconds"),
)


def detection_faults(settings: DetectionSettings, wrong: Collection[str]) -> list[str]:
    """List the settings that contradict each other, a sentence each.

    Args:
        settings: of the training.
        wrong: the names of wrong ones; what depends on them is not looked at.
    """
    return [*shared_contradictions(settings, wrong), *run_checks(CHECKS, settings, wrong)]


def _head_faults(settings: DetectionSettings) -> list[str]:
    """Report what `create_dense` refuses; without masks there is nothing for task=instance."""
    name = settings.head.name
    if name in HEADS and settings.task == "instance" and not HEADS[name].masks:
        with_masks = " or head=".join(name for name, head in HEADS.items() if head.masks)
        return [f"task=instance needs masks, which head={name} does not find; use head={with_masks}, or task=detection"]
    if foreign := _foreign_options(settings):
        return [foreign]
    try:
        meta_detector(settings)
    except ValueError as error:
        return [f"head={name}, model={settings.model.name}: {error}"]
    return []


def _foreign_options(settings: DetectionSettings) -> str:
    """A sentence on options that the chosen head does not have; "" = there are none, or no such head."""
    head = settings.head
    known = head_options(head.name) if head.name in HEADS else head.options
    foreign = sorted(set(head.options) - set(known))
    if not foreign:
        return ""
    named = [", ".join(f"head.{name}" for name in names) for names in (foreign, sorted(known))]
    return f"{named[0]} {'are' if len(foreign) > 1 else 'is'} not for head={head.name}, which takes {named[1]}"


def _data_faults(settings: DetectionSettings) -> list[str]:
    data = settings.data
    if data.source not in LAYOUTS:
        return []  # told where the data are looked for
    if data.source not in BOX_LAYOUTS:
        return [
            f"data.source={data.source} has labels and no boxes, which task={settings.task} needs; use "
            f"data={', data='.join(BOX_LAYOUTS)}"
        ]
    return foreign_faults({"source": data.source, **data.options})


def _clip_faults(settings: DetectionSettings) -> list[str]:
    if settings.data.source not in BOX_LAYOUTS:
        return []  # what its layout sets goes with it
    usual = ClipSettings()
    frames = ("num_frames",) if settings.data.num_frames not in (1, usual.num_frames) else ()
    return others_settings(settings.data, usual, names=(*frames, *OF_CLIPS), group="data", of=CLASSIFICATION)


def _augment_faults(settings: DetectionSettings) -> list[str]:
    usual = ClipAugmentSettings()
    return others_settings(settings.augment, usual, names=AUGMENT_OF_CLIPS, group="augment", of=CLASSIFICATION)


def _optim_faults(settings: DetectionSettings) -> list[str]:
    return others_settings(settings.optim, OptimSettings(), names=OF_CLASSIFIERS, group="optim", of=CLASSIFICATION)


def _trainer_faults(settings: DetectionSettings) -> list[str]:
    if not settings.trainer.compile:
        return []
    return [
        f"trainer.compile={settings.trainer.compile} is for task=classification, whose inputs are all of one size; use "
        "trainer.compile=false"
    ]


CHECKS: tuple[Check, ...] = (_head_faults, _data_faults, _clip_faults, _augment_faults, _optim_faults, _trainer_faults)

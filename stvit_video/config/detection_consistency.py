"""Find settings of a detector's training that contradict each other, before anything is read."""

from collections.abc import Collection

from stvit_video.config.consistency import shared_contradictions
from stvit_video.config.setting_checks import Check, run_checks
from stvit_video.data.layouts.catalogue import BOX_LAYOUTS, LAYOUTS
from stvit_video.dense.create_detector import HEADS
from stvit_video.factories.detection_parts import meta_detector
from stvit_video.factories.layout_settings import foreign_faults
from stvit_video.settings.detection_settings import DetectionSettings
from stvit_video.settings.optim_settings import OptimSettings

# settings of `optim` that are about labels, heads and slots of classifiers
OF_CLASSIFIERS = ("layer_decay", "train", "probe_epochs", "probe_lr", "sandwich", "sandwich_distill", "class_weights")


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
    try:
        meta_detector(settings)
    except ValueError as error:
        return [f"head={name}, model={settings.model.name}: {error}"]
    return []


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


def _optim_faults(settings: DetectionSettings) -> list[str]:
    optim = settings.optim
    usual = OptimSettings()
    return [
        f"optim.{name}={getattr(optim, name)} is for task=classification; leave it out"
        for name in OF_CLASSIFIERS
        if getattr(optim, name) != getattr(usual, name)
    ]


def _trainer_faults(settings: DetectionSettings) -> list[str]:
    if not settings.trainer.compile:
        return []
    return [
        f"trainer.compile={settings.trainer.compile} is for task=classification, whose inputs are all of one size; use "
        "trainer.compile=false"
    ]


CHECKS: tuple[Check, ...] = (_head_faults, _data_faults, _optim_faults, _trainer_faults)

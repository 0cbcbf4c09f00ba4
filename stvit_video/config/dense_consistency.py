"""Find settings of a detector's or segmenter's training that contradict each other, before anything is read."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stvit_video.config.consistency import shared_contradictions
from stvit_video.config.frame_consistency import frame_faults
from stvit_video.config.setting_checks import Check, others_settings, run_checks
from stvit_video.data.layouts.catalogue import BOX_LAYOUTS, LAYOUTS, MAP_LAYOUTS
from stvit_video.dense.create_dense import HEADS, head_options
from stvit_video.factories.dense_parts import meta_dense
from stvit_video.factories.layout_settings import foreign_faults
from stvit_video.settings.augment_settings import ClipAugmentSettings
from stvit_video.settings.box_augment_settings import BoxAugmentSettings
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.declare import Group
from stvit_video.settings.dense_settings import DenseSettings
from stvit_video.settings.map_augment_settings import MapAugmentSettings
from stvit_video.settings.optim_settings import OptimSettings

CLASSIFICATION = "task=classification"
# settings of `optim` that are about labels, heads and slots of classifiers
OF_CLASSIFIERS = (
    *("layer_decay", "train", "probe_epochs", "probe_lr", "sandwich", "sandwich_distill", "class_weights"),
    "label_smoothing",
)
OF_PICTURES = ("flip_probability", "photometric_probability")  # settings of `augment` that both kinds have
OF_CLIPS = (  # settings of `data`
    *("sampling", "target_fps", "short_video", "frame_difference", "static_clip", "num_repeats", "multi_scale"),
    *("multi_scale_batch", "cache", "cache_short_side", "interpolation", "backend", "time_limit_seconds"),
)
LAYOUTS_OF: Mapping[str, tuple[str, ...]] = {"boxes": BOX_LAYOUTS, "maps": MAP_LAYOUTS}
TASKS_OF = {"boxes": "task=detection and task=instance", "maps": "task=semantic"}  # that use the settings of a kind
USUAL_TASK = {"boxes": "task=detection", "maps": "task=semantic"}


@dataclass(frozen=True, kw_only=True)
class DenseKind:
    """What the tasks of a kind differ in.

    Args:
        finds: what a model of these tasks finds; heads and layouts are of such a kind.
        augment: their own settings of the group `augment`, and those of the other kind.
    """

    finds: Literal["boxes", "maps"]
    augment: type[Group]
    other_augment: type[Group]

    @property
    def other(self) -> str:
        """The other kind."""
        return "maps" if self.finds == "boxes" else "boxes"

    @property
    def heads(self) -> str:
        """The heads of this kind, as the end of a sentence."""
        return ", head=".join(name for name, head in HEADS.items() if head.kind == self.finds)

    @property
    def foreign_augment(self) -> dict[str, tuple[str, ...]]:
        """Settings of `augment` that these tasks do not have, by the tasks that have them."""
        own = (*OF_PICTURES, *self.augment.model_fields)
        groups: dict[str, type[Group]] = {
            CLASSIFICATION: ClipAugmentSettings,
            TASKS_OF[self.other]: self.other_augment,
        }
        return {of: tuple(name for name in group.model_fields if name not in own) for of, group in groups.items()}

    @property
    def unused(self) -> tuple[str, ...]:
        """The settings of optim and augment that these tasks do not have."""
        augment = dict.fromkeys(name for names in self.foreign_augment.values() for name in names)
        return (*(f"optim.{name}" for name in OF_CLASSIFIERS), *(f"augment.{name}" for name in augment))


BOXES = DenseKind(finds="boxes", augment=BoxAugmentSettings, other_augment=MapAugmentSettings)
MAPS = DenseKind(finds="maps", augment=MapAugmentSettings, other_augment=BoxAugmentSettings)


def dense_faults(
    settings: DenseSettings, wrong: Collection[str], *, kind: DenseKind, head_faults: Check | None = None
) -> list[str]:
    """List the settings that contradict each other, a sentence each.

    Args:
        settings: of the training.
        wrong: the names of wrong ones; what depends on them is not looked at.
        kind: of the task.
        head_faults: what else a head must have for the task; asked before it is built.
    """
    checks: Sequence[Check] = (
        _head_check(kind, head_faults),
        lambda given: _data_faults(given, kind),
        lambda given: _clip_faults(given, kind),
        lambda given: _augment_faults(given, kind),
        _optim_faults,
        _trainer_faults,
        frame_faults,
    )
    return [*shared_contradictions(settings, wrong), *run_checks(checks, settings, wrong)]


def _head_check(kind: DenseKind, head_faults: Check | None) -> Check:
    """Report a head of the other kind, then what the task asks of it, then what `create_dense` refuses."""
    steps: list[Callable[[DenseSettings], list[str]]] = [lambda given: _kind_faults(given, kind)]
    steps += [*([head_faults] if head_faults else []), _option_faults, _built_faults]

    def check(settings: DenseSettings) -> list[str]:
        return next((faults for step in steps if (faults := step(settings))), [])

    return check


def _kind_faults(settings: DenseSettings, kind: DenseKind) -> list[str]:
    name = settings.head.name
    if name not in HEADS or HEADS[name].kind == kind.finds:
        return []
    finds = {"boxes": "boxes of objects", "maps": "a label for each pixel"}
    return [
        f"head={name} finds {finds[kind.other]}, and task={settings.task} needs {finds[kind.finds]}; use "
        f"head={kind.heads}, or {USUAL_TASK[kind.other]}"
    ]


def _option_faults(settings: DenseSettings) -> list[str]:
    """A sentence on options that the chosen head does not have; none = there are none, or no such head."""
    head = settings.head
    known = head_options(head.name) if head.name in HEADS else head.options
    foreign = sorted(set(head.options) - set(known))
    if not foreign:
        return []
    named = [", ".join(f"head.{name}" for name in names) for names in (foreign, sorted(known))]
    return [f"{named[0]} {'are' if len(foreign) > 1 else 'is'} not for head={head.name}, which takes {named[1]}"]


def _built_faults(settings: DenseSettings) -> list[str]:
    try:
        meta_dense(settings)
    except ValueError as error:
        return [f"head={settings.head.name}, model={settings.model.name}: {error}"]
    return []


def _data_faults(settings: DenseSettings, kind: DenseKind) -> list[str]:
    data, wanted = settings.data, LAYOUTS_OF[kind.finds]
    if data.source not in LAYOUTS:
        return []  # told where the data are looked for
    if data.source in wanted:
        return foreign_faults({"source": data.source, **data.options})
    names = {"boxes": "boxes", "maps": "label maps"}
    is_other = data.source in LAYOUTS_OF[kind.other]
    other_task = f", or {USUAL_TASK[kind.other]}" if is_other else ""
    return [
        f"data.source={data.source} has {names[kind.other] if is_other else 'labels'} and no {names[kind.finds]}, "
        f"which task={settings.task} needs; use data={', data='.join(wanted)}{other_task}"
    ]


def _clip_faults(settings: DenseSettings, kind: DenseKind) -> list[str]:
    if settings.data.source not in LAYOUTS_OF[kind.finds]:
        return []  # what its layout sets goes with it
    usual = ClipSettings()
    frames = ("num_frames",) if settings.data.num_frames not in (1, usual.num_frames) else ()
    return others_settings(settings.data, usual, names=(*frames, *OF_CLIPS), group="data", of=CLASSIFICATION)


def _augment_faults(settings: DenseSettings, kind: DenseKind) -> list[str]:
    groups: dict[str, Group] = {CLASSIFICATION: ClipAugmentSettings(), TASKS_OF[kind.other]: kind.other_augment()}
    return [
        fault
        for of, names in kind.foreign_augment.items()
        for fault in others_settings(settings.augment, groups[of], names=names, group="augment", of=of)
    ]


def _optim_faults(settings: DenseSettings) -> list[str]:
    return others_settings(settings.optim, OptimSettings(), names=OF_CLASSIFIERS, group="optim", of=CLASSIFICATION)


def _trainer_faults(settings: DenseSettings) -> list[str]:
    if not settings.trainer.compile:
        return []
    return [
        f"trainer.compile={settings.trainer.compile} is for task=classification, whose inputs are all of one size; use "
        "trainer.compile=false"
    ]

"""The settings of stvit_video.evaluate for a kind of checkpoint; those of the other kinds stand beside them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from stvit_video.config.layout_options import read_options
from stvit_video.config.nodes import COMMANDS
from stvit_video.config.unknown_keys import unknown_faults
from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.settings.declare import Group
from stvit_video.settings.detector_evaluation_settings import DetectorEvaluation
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.reading import default_values, read_settings
from stvit_video.settings.segmenter_evaluation_settings import SegmenterEvaluation

__all__ = ["read_evaluation"]

S = TypeVar("S", bound=EvaluateSettings | DetectorEvaluation | SegmenterEvaluation)
DOES: Mapping[type[Group], str] = {
    EvaluateSettings: "labels videos",
    DetectorEvaluation: "finds objects",
    SegmenterEvaluation: "labels pixels",
}


def read_evaluation(kind: type[S], values: Mapping[str, Any], *, known_kind: bool = True) -> S:
    """The settings from plain values; one that is left out has its default.

    Args:
        kind: of the settings.
        values: those of other kinds at their defaults are passed over.
        known_kind: False = nobody knows what the checkpoint is for, so all settings of other kinds are passed over.

    Raises:
        ValueError: lists every wrong or unknown one, and those that are for other checkpoints, a sentence each.
    """
    others = [other for other in COMMANDS["evaluate"] if other is not kind]
    of_others = {
        name: value
        for other in others
        for name, value in default_values(other).items()
        if name not in kind.model_fields
    }
    foreign = [
        f"{name} is for a checkpoint that {_owners(name, others)}, and this one {DOES[kind]}; leave it out"
        for name, usual in of_others.items()
        if known_kind and name in values and values[name] != usual
    ]
    read = read_settings(kind, {name: value for name, value in values.items() if name not in of_others})
    data = read.settings.data
    options = read_options(data.source if data.source in LAYOUTS else None, data.options)
    unknown = unknown_faults([*read.unknown, *options.unknown], config_name="evaluate")
    if faults := [*unknown, *foreign, *read.wrong.values(), *options.wrong.values()]:
        raise ValueError("; ".join(faults))
    return read.settings


def _owners(name: str, kinds: Sequence[type[Group]]) -> str:
    """What the checkpoints do that take a setting."""
    return " or ".join(DOES[kind] for kind in kinds if name in kind.model_fields)

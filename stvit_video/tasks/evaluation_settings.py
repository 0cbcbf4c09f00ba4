"""The settings of stvit_video.evaluate for a kind of checkpoint; those of the other kinds stand beside them."""

from collections.abc import Mapping
from typing import Any, TypeVar

from stvit_video.config.layout_options import read_options
from stvit_video.config.nodes import COMMANDS
from stvit_video.config.unknown_keys import unknown_faults
from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.settings.declare import Group
from stvit_video.settings.detector_evaluation_settings import DetectorEvaluation
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.reading import default_values, read_settings

__all__ = ["read_evaluation"]

S = TypeVar("S", bound=EvaluateSettings | DetectorEvaluation)
DOES: Mapping[type[Group], str] = {EvaluateSettings: "labels videos", DetectorEvaluation: "finds objects"}


def read_evaluation(kind: type[S], values: Mapping[str, Any], *, known_kind: bool = True) -> S:
    """The settings from plain values; one that is left out has its default.

    Args:
        kind: of the settings.
        values: those of other kinds at their defaults are passed over.
        known_kind: False = nobody knows what the checkpoint is for, so all settings of other kinds are passed over.

    Raises:
        ValueError: lists every wrong or unknown one, and those that are for other checkpoints, a sentence each.
    """
    others = [(other, default_values(other)) for other in COMMANDS["evaluate"] if other is not kind]
    of_others = {name: value for _, usual in others for name, value in usual.items() if name not in kind.model_fields}
    foreign = [
        f"{name} is for a checkpoint that {DOES[other]}, and this one {DOES[kind]}; leave it out"
        for other, usual in others
        for name in usual
        if known_kind and name in of_others and name in values and values[name] != usual[name]
    ]
    read = read_settings(kind, {name: value for name, value in values.items() if name not in of_others})
    data = read.settings.data
    options = read_options(data.source if data.source in LAYOUTS else None, data.options)
    unknown = unknown_faults([*read.unknown, *options.unknown], config_name="evaluate")
    if faults := [*unknown, *foreign, *read.wrong.values(), *options.wrong.values()]:
        raise ValueError("; ".join(faults))
    return read.settings

"""The settings as nodes of Hydra's configuration: every one with its default, declared in code.

`conf/train.yaml` and its like begin with such a node; the files of `conf/` say only what differs.
"""

from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore

from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.dense.create_dense import HEADS, head_options
from stvit_video.factories.layout_settings import layout_settings
from stvit_video.models.registry import list_models, option_defaults
from stvit_video.settings.declare import Group
from stvit_video.settings.detector_evaluation_settings import DetectorEvaluation
from stvit_video.settings.doctor_settings import DoctorSettings
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.paths import CONF_DIR
from stvit_video.settings.reading import default_values
from stvit_video.settings.segmenter_evaluation_settings import SegmenterEvaluation
from stvit_video.settings.sweep_settings import SweepSettings
from stvit_video.settings.task_kinds import TASK_SETTINGS

PROVIDER = "stvit_video"
# of each command the kinds of settings that it takes, by the task; the first is that of classification
COMMANDS: dict[str, tuple[type[Group], ...]] = {
    "train": tuple(dict.fromkeys(TASK_SETTINGS.values())),
    "evaluate": (EvaluateSettings, DetectorEvaluation, SegmenterEvaluation),
    "doctor": (DoctorSettings,),
}
SWEPT = ("train", "evaluate")  # commands that take -m
FROM_DATA = {"image_size": "${data.crop_size}", "num_frames": "${data.num_frames}"}  # of a model that is trained
IN_TRAINING = {"drop_path_rate": 0.1}  # where a training's default is not the model's


class SharedNodes(dict[str, Any]):
    """Nodes that copies of Hydra's store have in common: each composition copies the store, with every node in it.

    Nothing changes a node, as Hydra copies the one that it loads.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> "SharedNodes":
        return self


def command_node(name: str) -> dict[str, Any]:
    """The settings of a command by all tasks, those of sweeps included where it takes -m.

    Args:
        name: one of COMMANDS.
    """
    known: dict[str, Any] = {}
    for kind in COMMANDS[name]:
        known = default_values(kind) | known
    return known | ({"sweep": default_values(SweepSettings)} if name in SWEPT else {})


def task_node(task: str) -> dict[str, Any]:
    """What `task=<task>` chooses: the settings of a training for this task.

    Args:
        task: one of TASK_SETTINGS.
    """
    return {**default_values(TASK_SETTINGS[task]), "task": task, "sweep": default_values(SweepSettings)}


def layout_node(source: str) -> dict[str, Any]:
    """What `data=<source>` chooses: the layout, and its settings with their defaults."""
    return {"source": source, **default_values(layout_settings(source))}


def model_node(name: str) -> dict[str, Any]:
    """What `model=<name>` chooses: the model, and its options with their defaults.

    Args:
        name: one of `list_models()`.
    """
    options = {key: list(value) if isinstance(value, tuple) else value for key, value in option_defaults(name).items()}
    given = {key: value for key, value in (FROM_DATA | IN_TRAINING).items() if key in options}
    return {"name": name, **options, **given}


def head_node(name: str) -> dict[str, Any]:
    """What `head=<name>` chooses: the head of a detector or segmenter, and its options with their defaults.

    Args:
        name: one of HEADS.
    """
    return {"name": name, "head_rule": "ours", **head_options(name)}


def register_nodes() -> None:
    """Make all settings known to Hydra in this process: `<command>_settings`, `task_settings=<task>`, `data=<layout>`,
    `model=<name>`, `head=<name>`.

    A file conf/data/<layout>.yaml, for a layout with clips of its own kind, takes the node of the layout from the group
    `layout`.
    """
    store = ConfigStore.instance()
    if not isinstance(store.repo, SharedNodes):
        store.repo = SharedNodes(store.repo)
    for name in COMMANDS:
        store.store(name=f"{name}_settings", node=command_node(name), provider=PROVIDER)
    for task in TASK_SETTINGS:
        store.store(group="task_settings", name=task, node=task_node(task), provider=PROVIDER)
    for source in LAYOUTS:
        has_file = Path(CONF_DIR, "data", f"{source}.yaml").is_file()
        for group in ("layout",) if has_file else ("layout", "data"):
            store.store(group=group, name=source, node=layout_node(source), provider=PROVIDER)
    for name in HEADS:
        store.store(group="head", name=name, node=head_node(name), provider=PROVIDER)
    for name in list_models():
        store.store(group="model", name=name, node=model_node(name), provider=PROVIDER)

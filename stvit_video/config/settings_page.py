"""The page of all settings: of each command, of each data layout, of each family of models."""

from collections.abc import Mapping

from stvit_video.config.nodes import COMMANDS, model_node
from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.dense.create_dense import HEADS, head_option_help, head_options
from stvit_video.factories.layout_settings import layout_settings
from stvit_video.factories.network import model_settings
from stvit_video.models.registry import FAMILIES
from stvit_video.settings.declare import Group
from stvit_video.settings.dense_settings import DenseSettings
from stvit_video.settings.detector_evaluation_settings import DetectorEvaluation
from stvit_video.settings.markdown import SettingRow, page_of, rows_of, table_of
from stvit_video.settings.segmenter_evaluation_settings import SegmenterEvaluation
from stvit_video.settings.sweep_settings import SweepSettings

MODELS: Mapping[type[Group], str] = {  # what such settings are for
    DenseSettings: "detector or segmenter",
    DetectorEvaluation: "detector",
    SegmenterEvaluation: "segmenter",
}
HEAD = """# Settings

Written by `python scripts/write_settings_page.py` from the declarations in `stvit_video/settings`, in the finders of
`stvit_video/data/layouts`, and in the builders of `stvit_video/models`; don't edit it. A setting is given as
`name=value`, `null` is none, and `--cfg job` prints what a command line comes to.
"""


def settings_page() -> str:
    """All settings in Markdown."""
    titles = {"train": "stvit_video.train", "evaluate": "stvit_video.evaluate", "doctor": "stvit_video.doctor"}
    sweep = {"`sweep`, with `-m`": rows_of(SweepSettings, "sweep.")}
    parts = [HEAD]
    kinds = {**COMMANDS, "train": (COMMANDS["train"][0], DenseSettings)}  # tasks with a head share their settings
    for name, (kind, *others) in kinds.items():
        more = sweep if name == "train" else {}
        pages = [page_of(f"`{titles[name]}`", kind, more=more)]
        pages += [page_of(f"`{titles[name]}` of a {MODELS[other]}", other, more={}, known=kind) for other in others]
        for page in pages:
            parts.append("\n".join(f"#{line}" if line.startswith("#") else line for line in page.splitlines()))
    parts.append(
        "## Heads of detectors and segmenters\n\nA training with task=detection, task=instance or task=semantic has "
        "these in its group `head`."
    )
    parts += [f"### `head={name}`\n\n{_options_of_head(name)}" for name in HEADS]
    parts.append("## Data layouts\n\nThe group `data` of a training has these settings, too; `data=NAME` chooses them.")
    for source in LAYOUTS:
        kind = layout_settings(source)
        parts.append(f"### `data={source}`\n\n{kind.__doc__}\n\n{table_of(rows_of(kind, 'data.'))}")
    parts.append(
        "## Models\n\nThe group `model` of a training has the options of its model, which `model=NAME` chooses."
    )
    for family in FAMILIES:
        name = next(name for name in FAMILIES[family].models() if name.startswith("stvit_video_"))
        parts.append(f"### `{family}`\n\nThe defaults are those of `{name}`.\n\n{_options_of(name)}")
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _options_of_head(name: str) -> str:
    """The options of a head as a table."""
    told = head_option_help(name)
    rows = [SettingRow(f"head.{option}", value, "", told[option]) for option, value in head_options(name).items()]
    return table_of(rows)


def _options_of(name: str) -> str:
    """The options of a model as a table."""
    node, rows = model_node(name), rows_of(model_settings(name), "model.")
    return table_of(row._replace(default=node[row.name.partition(".")[2]]) for row in rows)

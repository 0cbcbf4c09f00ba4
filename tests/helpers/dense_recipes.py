"""The recipes of detectors and segmenters as a start reads them."""

import re
from functools import cache
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.config.unknown_keys import unknown_faults
from stvit_video.settings.paths import CONF_DIR
from stvit_video.tasks.task_list import task_of
from stvit_video.train import main as _main  # noqa: F401 - the resolvers of the recipes

NUM_GPUS = 8


@cache
def values_of(name: str, *more: str) -> dict:
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        chosen = compose("train", overrides=[f"+experiment={name}", "data.root=/x", "trainer=cpu", *more])
    values = OmegaConf.to_container(chosen, resolve=True)
    values.pop("sweep")
    return values


def read(values: dict):
    """The settings, and the faults that a start finds before it looks for files."""
    task = task_of(values)
    found = task.read(values)
    faults = [*unknown_faults(found.unknown), *found.wrong.values()]
    return found.settings, [*faults, *task.faults(found.settings, found.wrong, task.parts(found.settings))]


def head_of(name: str) -> str:
    lines = Path(CONF_DIR, "experiment", f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("#"))


def variants(name: str) -> list[tuple[list[str], float]]:
    """The sizes beside the first that the head of a recipe tells: their settings, and GMACs of the backbone."""
    text = re.sub(r"\n# ", " ", head_of(name))
    return [
        ([f"model={model}", *re.findall(r"model\.\w+=[\d.]*\d", rest)], float(gmacs))
        for model, rest, gmacs in re.findall(r"model=(\w+)([^:]*?), ([\d.]+) GMACs", text)
    ]

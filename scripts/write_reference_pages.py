#!/usr/bin/env python3
"""Write the pages of all commands and recipes from the code: python scripts/write_reference_pages.py [out=FOLDER]."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.__main__ import command_lines
from stvit_video.config.command_page import command_page
from stvit_video.config.consistency import chosen_protocol
from stvit_video.config.recipe_page import Recipe, read_recipe, recipe_index, recipe_page
from stvit_video.dense.create_dense import head_options
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.settings.dense_settings import DenseSettings
from stvit_video.settings.paths import CONF_DIR
from stvit_video.settings.train_settings import TaskSettings, TrainSettings
from stvit_video.tasks.task_list import task_of
from stvit_video.train import main as _main  # noqa: F401 - the resolvers of the recipes
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.value_kinds import PATH

SCRIPTS = Path(__file__).parent
RESULTS = {  # pages with what we measured, of the recipes that we have run
    "bccd": "results/detection.md",
    "ccp": "results/segmentation.md",
    "cifar10": "results/cifar10.md",
    "cifar10_casvit": "results/cifar10.md",
    "cifar10_swin": "results/cifar10.md",
    "ego_gestures": "results/place_of_generation.md",
    "nuclei": "results/detection.md",
    "photo_motion": "results/photo_motion.md",
    "photo_motion_deep": "results/place_of_generation.md",
    "quickstart": "results/quickstart.md",
    "small_data": "guides/fine_tune.md",
    "overhead_streams": "results/streaming.md",
    "surveillance_fight": "results/surveillance_fight.md",
}
COMMAND = Command(
    prog="python scripts/write_reference_pages.py",
    summary="Write the pages of all commands and recipes from their declarations.",
    settings=(Setting(name="out", kind=PATH, default=Path("docs"), help="folder of the documentation"),),
    examples=(
        "python scripts/write_reference_pages.py",
        "python scripts/write_reference_pages.py out=/tmp/docs",
    ),
)


def reference_pages() -> dict[str, str]:
    """Every page: its path below docs/, and its text."""
    commands = [_declared(importlib.import_module(_module(line.split()[2]))) for line in command_lines()]
    others = [path for path in sorted(SCRIPTS.glob("*.py")) if path.name != Path(__file__).name]
    scripts = [*(_declared(_script(path)) for path in others), [COMMAND]]
    shell = {f"scripts/{path.name}": path.read_text(encoding="utf-8") for path in sorted(SCRIPTS.glob("[!_]*.sh"))}
    recipes = [_recipe(path) for path in sorted(Path(CONF_DIR, "experiment").glob("[!_]*.yaml"))]
    pages = {"reference/commands.md": command_page(commands, scripts, shell), "recipes/index.md": recipe_index(recipes)}
    return pages | {f"recipes/{recipe.name}.md": recipe_page(recipe) for recipe in recipes}


def _module(name: str) -> str:
    return f"{name}.__main__" if name == "stvit_video.data" else name


def _script(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _declared(module: Any) -> list[Command]:
    """The declarations of a command: one, or one for each first word, the plain one first."""
    return sorted((value for value in vars(module).values() if isinstance(value, Command)), key=lambda one: one.word)


def _recipe(path: Path) -> Recipe:
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        chosen = compose("train", overrides=[f"+experiment={path.stem}", "data.root=/x", "init_from=/x"])
    settings: Any = OmegaConf.to_container(chosen, resolve=True)
    settings.pop("sweep")
    typed = task_of(settings).read(settings).settings
    settings |= _complete(typed)
    return read_recipe(path.stem, path.read_text(encoding="utf-8"), settings, results=RESULTS.get(path.stem, ""))


def _complete(settings: TaskSettings) -> dict[str, Any]:
    """What a recipe leaves to defaults that depend on its choices: the test protocol, the options of a head."""
    if isinstance(settings, TrainSettings):
        return {"protocol": asdict(TestProtocol.named(**chosen_protocol(settings)))}
    assert isinstance(settings, DenseSettings)
    head = settings.head
    defaults = head_options(head.name, head_rule=head.head_rule)
    return {"head": {**defaults, **head.plain()}, "data": settings.data.plain()}


def write_pages(given: Given) -> None:
    """Write the pages.

    Raises:
        ValueError: the head of a recipe does not say its command.
        OSError: they can't be written.
    """
    for name, text in reference_pages().items():
        path = Path(given.out, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages; gives the exit status."""
    return COMMAND.run(write_pages, arguments)


if __name__ == "__main__":
    sys.exit(main())

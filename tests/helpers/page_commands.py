"""Commands that a page shows and nobody runs: what is wrong with their settings, without files and devices.

Settings of train, evaluate and doctor are composed by Hydra, for the first job of a sweep and each of `sweep.also`,
and read by the declarations; a training's are also held to the rules between settings. Other commands parse theirs.
"""

import importlib
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from loaded_file import load_file
from omegaconf import DictConfig, OmegaConf
from settings_checker import faults_of

from stvit_video.config.hydra_app import quote_patterns
from stvit_video.config.layout_options import read_with_layout
from stvit_video.config.nodes import COMMANDS
from stvit_video.config.unknown_keys import mark_unknown, unknown_faults
from stvit_video.settings.declare import Group
from stvit_video.settings.paths import CONF_DIR
from stvit_video.sweeps.expand import expand, expand_extra, parse_axes
from stvit_video.sweeps.settings import read_sweep
from stvit_video.tasks.evaluation_settings import read_evaluation
from stvit_video.train import main as _main  # noqa: F401 - the resolvers of the recipes
from stvit_video.utils.command_line import Command
from stvit_video.utils.compat import parse_hydra_arguments

REPOSITORY = Path(__file__).parents[2]
LAUNCHERS = ("hydra/launcher=", "hydra/sweeper=", "hydra.launcher.", "hydra.sweeper.")  # plugins that are not here
NUM_GPUS = 8  # of the machines that the commands of the pages are for
BY_SCRIPT = {  # what a script of the shell starts, with the words that it adds itself
    "scripts/slurm.sh": ("train", ("trainer=slurm",)),
    "scripts/quickstart.sh": ("train", ("+experiment=quickstart",)),
    "scripts/test.sh": ("", ()),
}


def command_faults(text: str) -> list[str]:
    """A sentence for every command of ours in a block that can't be given like this; one if there is no command."""
    found = [(line, *ours) for line in simple_commands(text) if (ours := ours_of(line))]
    faults = [fault for line, name, words in found for fault in _faults(name, words, shown=shlex.join(line))]
    return faults if found else ["there is no command of ours in this block"]


def simple_commands(text: str) -> list[list[str]]:
    """The words of each simple command of a piece of shell: pipes, lists, redirections and comments are taken off."""
    commands: list[list[str]] = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
        lexer.whitespace_split, lexer.commenters = True, ""
        words: list[str] = []
        for word in _without_comment(list(lexer)):
            if set(word) <= set(";&|<>"):
                commands.append(words)
                words = ["<file>"] if set(word) & set("<>") else []
            else:
                words.append(word)
        commands.append(words)
    return [words for words in commands if words and words[0] != "<file>"]


def _without_comment(words: Sequence[str]) -> Sequence[str]:
    starts = [place for place, word in enumerate(words) if word.startswith("#")]
    return words[: starts[0]] if starts else words


def ours_of(words: Sequence[str]) -> tuple[str, list[str]] | None:
    """The command of ours that words start, such as "train" or "scripts/x.py", and its arguments; None = no command.

    Variables before it, torchrun, srun and sbatch with their own options are taken off.
    """
    rest = list(words)
    while rest and re.fullmatch(r"\w+=.*", rest[0]):
        rest.pop(0)
    if rest[:1] and rest[0] in ("bash", "sbatch"):
        place = next((place for place, word in enumerate(rest) if word in BY_SCRIPT), None)
        return (rest[place], rest[place + 1 :]) if place is not None else None
    if not rest or rest[0] not in ("python", "python3", "torchrun", "srun"):
        return None
    for place, word in enumerate(rest):
        if re.fullmatch(r"stvit_video(\.\w+)?", word) and rest[place - 1] == "-m":
            return word.partition(".")[2] or "__main__", rest[place + 1 :]
        if re.fullmatch(r"scripts/\w+\.py", word):
            return word, rest[place + 1 :]
    return None


def _faults(name: str, words: list[str], *, shown: str) -> list[str]:
    try:
        if name in BY_SCRIPT:
            command, added = BY_SCRIPT[name]
            return [f"{shown}: {fault}" for fault in (settings_faults(command, [*added, *words]) if command else [])]
        if name in COMMANDS and words != ["env"]:
            return [f"{shown}: {fault}" for fault in settings_faults(name, words)]
        if name not in COMMANDS:
            chosen_command(load(name), words).parse([word for word in words if word != "--help"])
    except (ValueError, HydraException, ImportError) as error:
        return [f"{shown}: {error}"]
    return []


@cache
def load(name: str) -> ModuleType:
    """The module of a command such as "predict", "data" or "scripts/evaluate_clips.py"."""
    if not name.startswith("scripts/"):
        module = importlib.import_module("stvit_video" if name == "" else f"stvit_video.{name}")
        return importlib.import_module(f"{module.__name__}.__main__") if hasattr(module, "__path__") else module
    if not (REPOSITORY / name).is_file():
        raise ImportError(f"there is no {name}")
    return load_file(REPOSITORY / name)


def chosen_command(module: ModuleType, words: Sequence[str]) -> Command:
    """The declaration that a command line is for: of several in a module, the one with its first word."""
    declared = [value for value in vars(module).values() if isinstance(value, Command)]
    by_word = {command.word: command for command in declared}
    return by_word.get(words[0] if words else "") or by_word.get("") or declared[0]


def settings_faults(name: str, words: Sequence[str]) -> list[str]:
    """What is wrong with the settings of train, evaluate or doctor.

    Args:
        name: of the command.
        words: of its command line.

    Raises:
        ValueError, HydraException: overrides that can't be read.
    """
    flags = parse_hydra_arguments(quote_patterns(words))
    overrides = [text for text in flags.overrides if not text.startswith(LAUNCHERS)]
    jobs = _jobs(overrides) if flags.multirun else [tuple(overrides)]
    return list(dict.fromkeys(fault for job in jobs for fault in _job_faults(name, job)))


def _jobs(overrides: Sequence[str]) -> list[tuple[str, ...]]:
    """The first job of a sweep, and the first of each of its extra ones."""
    own = [text for text in overrides if text.startswith("sweep.")]
    parser = OverridesParser.create()
    axes = parse_axes(parser.parse_overrides([text for text in overrides if text not in own]))
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        sweep = OmegaConf.to_container(compose("train", overrides=own).sweep, resolve=False)
    extras = read_sweep(sweep).extras
    return [expand(axes)[0], *(expand_extra(axes, extra, parser=parser)[0] for extra in extras)]


def _composed(name: str, job: Sequence[str]) -> DictConfig:
    """The configuration of a job, as a start makes it; names that it lacks are let in, to be told with the rest."""
    overrides = [text for text in job if not text.startswith("hydra.")]
    try:
        with initialize_config_dir(CONF_DIR, version_base="1.3"):
            return compose(name, overrides=overrides)
    except HydraException:  # to ask which names are unknown takes longer than the rest
        marked = mark_unknown(overrides, config_name=name)
        with initialize_config_dir(CONF_DIR, version_base="1.3"):
            return compose(name, overrides=marked)


def _job_faults(name: str, job: Sequence[str]) -> list[str]:
    """What the start of a job finds wrong with its settings, on a machine with as many GPUs as they ask for."""
    values = OmegaConf.to_container(_composed(name, job), resolve=True)
    if name == "train":
        with patch.object(torch.cuda, "device_count", lambda: NUM_GPUS):
            return faults_of(values)
    values.pop("sweep", None)
    if name == "evaluate":  # for the checkpoint of a task, we can't know which
        fault = min((_evaluation_fault(kind, values) for kind in COMMANDS[name]), key=len)
        return [fault] if fault else []
    read = read_with_layout(COMMANDS[name][0], values)
    return [*unknown_faults(read.unknown, config_name=name), *read.wrong.values()]


def _evaluation_fault(kind: type[Group], values: Mapping[str, Any]) -> str:
    try:
        read_evaluation(kind, values)
    except ValueError as error:
        return str(error)
    return ""

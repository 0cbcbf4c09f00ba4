"""All commands and scripts alike: --help, unknown settings, --debug, and examples that can be run."""

import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from loaded_file import load_script

from stvit_video.__main__ import command_lines
from stvit_video.config.hydra_app import quote_patterns
from stvit_video.settings.paths import CONF_DIR
from stvit_video.sweeps.expand import expand, parse_axes
from stvit_video.utils.command_line import Command

REPOSITORY = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
HYDRAS = ("doctor", "evaluate", "train")
OURS = (
    *("__main__", "benchmark", "budget", "data.__main__", "export", "export_run", "ledger", "predict", "stream"),
    *("demo", "sweep", "visualize"),
)
SCRIPTS = (
    "compare_backbones",
    "contribution_agreement",
    "draw_docs_pictures",
    "draw_moving_pictures",
    "evaluate_clips",
    "fuzz_decoder",
    "fuzz_training",
    "import_detector",
    "prepare_kinetics",
    "stream_speed",
    "token_motion",
    "write_reference_pages",
    "write_settings_page",
)
COMMANDS = [(name, "COMMAND") for name in (*OURS, *SCRIPTS) if name != "benchmark"]
COMMANDS += [("benchmark", "TABLE"), ("benchmark", "DATA"), ("benchmark", "PREDICT"), ("benchmark", "MODELS")]


def load(name: str) -> ModuleType:
    if name not in SCRIPTS:
        return importlib.import_module(f"stvit_video.{name}")
    return load_script(name)


def words_of(line: str, command: Command) -> list[str]:
    """What follows the command in an example."""
    assert line.startswith(command.prog)
    return shlex.split(line[len(command.prog) :])


def misspelt(command: Command) -> tuple[str, str]:
    """A setting or switch, and a wrong name that is close to it."""
    name = max((setting.name for setting in command.settings), key=len, default="")
    return name, f"{name}{name[-1:]}"


def test_every_command_and_script_is_in_this_file():
    listed = {line.split()[2].removeprefix("stvit_video.") for line in command_lines()}
    assert listed == {name.removesuffix(".__main__") for name in (*OURS, *HYDRAS)} - {"__main__"}
    assert {path.stem for path in (REPOSITORY / "scripts").glob("*.py")} == set(SCRIPTS)


@pytest.mark.parametrize(("name", "variable"), COMMANDS)
def test_help_an_unknown_setting_and_debug(name, variable, capsys):
    module = load(name)
    command = getattr(module, variable)
    start = [command.word] if command.word else []
    assert module.main([*start, "--help"]) == 0
    help_text = capsys.readouterr().out
    assert help_text.startswith(f"usage: {command.prog}")
    assert len(command.examples) >= 2
    assert all(f"\n  {example}" in help_text for example in command.examples)
    for setting in command.settings:
        need = r"\((needed|needed, or \w+=|default: .+)\)"
        assert re.search(rf"\n  {setting.name}=\S+ .*{need}\n", help_text), setting.name
        assert setting.default is not None or setting.is_needed or setting.default_words
    good = words_of(command.examples[0], command)
    close, wrong = misspelt(command)
    for bad in (f"{wrong}=3", f"--{wrong.replace('_', '-')}=3") if close else ("nonsense",):
        assert module.main([*good, bad]) == 2
        told = capsys.readouterr()
        assert (told.out, told.err.count("\n")) == ("", 1)
        assert re.match(rf"error: .*{bad.partition('=')[0]}'? is no setting; .*{close}", told.err)
        assert module.main([*good, bad, "--debug"]) == 2
        assert capsys.readouterr().err.startswith("Traceback")


@pytest.mark.parametrize(("name", "variable"), COMMANDS)
def test_the_examples_can_be_read(name, variable):
    module = load(name)
    command = getattr(module, variable)
    for example in command.examples:
        words = [word for word in words_of(example, command) if word != "--help"]
        reader = module.DATA if name == "benchmark" and words[0] == "data" else command
        assert reader.parse(words)


@pytest.mark.parametrize("name", HYDRAS)
def test_hydras_commands(name, run_command, tmp_path):
    module = f"stvit_video.{name}"
    shown = run_command(module, "--help", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    ours, _, hydras = shown.stdout.partition("powered by Hydra")
    command = load(name).COMMAND
    assert len(command.examples) >= 2
    assert all(f"\n  {example}\n" in ours for example in command.examples)
    assert f"\n  python -m {module} --cfg job " in ours
    assert "\ndata:\n" in hydras
    assert "--hydra-help" in run_command(module, "--hydra-help", cwd=tmp_path).stdout
    close, wrong = {"doctor": ("num_workers", "num_worker"), "train": ("optim.lr", "optim.lrr")}.get(
        name, ("batch_size", "batch_sise")
    )
    for words in ([f"{wrong}=3"], [f"{wrong}=3", "--debug"]):
        done = run_command(module, *words, "data.val=x", *(["ckpt_path=x"] if name == "evaluate" else []), cwd=tmp_path)
        assert done.returncode == 2
        assert re.search(rf"^error: {wrong} is no setting; did you mean {close}\?", done.stderr, re.MULTILINE)
        assert done.stderr.startswith("Traceback") is ("--debug" in words)
        assert "--debug" in words or done.stderr.count("\n") == 1
    assert (run_command(module, "--nonsense", cwd=tmp_path)).returncode == 2
    assert not [
        path for path in (tmp_path / "outputs").rglob("*") if path.is_file()
    ]  # nothing of a refused start stays


def composed(words: Sequence[str], name: str) -> None:
    """Make the configuration of the first job that an example asks for."""
    texts = quote_patterns([word for word in words if word != "-m"])
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        (first, *_) = expand(parse_axes(OverridesParser.create().parse_overrides(texts)))
        compose(name, overrides=list(first))


@pytest.mark.parametrize("name", HYDRAS)
def test_the_examples_of_hydras_commands_have_a_configuration(name):
    command = load(name).COMMAND
    for example in command.examples:
        words = words_of(example, command)
        if words != ["env"]:
            composed(words, name)


def readme_lines() -> list[str]:
    """Commands of ours in the pages' blocks, without comments."""
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs" / "guides").glob("*.md"))]
    lines = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    found = [line.partition("  #")[0].strip() for line in lines if re.match("python (-m stvit_video|scripts/)", line)]
    return [line for line in found if "..." not in line and not line.endswith("\\")]


def test_the_commands_of_the_pages_can_be_read():
    commands = [getattr(load(name), variable) for name, variable in COMMANDS]
    commands.sort(key=lambda command: not command.word)  # of two with one name the one that a first word chooses
    num_read = 0
    for line in readme_lines():
        chosen = (c for c in commands if f"{line} ".startswith(f"{c.prog} {c.word} " if c.word else f"{c.prog} "))
        if command := next(chosen, None):
            command.parse(words_of(line, command))
            num_read += 1
    assert num_read >= 7


@pytest.mark.parametrize(
    ("name", "status"), [("-m", 130), (str(REPOSITORY / "scripts" / "fuzz_decoder.py"), 130), ("other.py", None)]
)
def test_ctrl_c_during_the_imports_of_a_command(name, status, tmp_path):
    code = f"import sys; sys.argv[0] = {name!r}; import stvit_video; raise KeyboardInterrupt"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    if status is None:  # a program of others keeps its ways
        assert done.returncode != 130
        assert "Traceback" in done.stderr
    else:
        assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize(("name", "variable"), COMMANDS)
def test_ctrl_c_at_work(name, variable, monkeypatch, capsys):
    module = load(name)
    command = getattr(module, variable)

    def stopped(command, arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Command, "parse", stopped)
    assert module.main(words_of(command.examples[0], command)) == 130
    assert capsys.readouterr() == ("", "")

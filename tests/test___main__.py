"""The list of commands names each of them, and imports none."""

import subprocess
import sys
from pathlib import Path

from stvit_video.__main__ import command_lines, main

COMMANDS = (
    "benchmark",
    "budget",
    "data",
    "demo",
    "doctor",
    "evaluate",
    "export",
    "export_run",
    "ledger",
    "predict",
    "stream",
    "sweep",
    "train",
    "visualize",
)


def test_every_command_has_a_line_that_says_what_it_does():
    names = [line.split()[2].removeprefix("stvit_video.") for line in command_lines()]
    assert names == list(COMMANDS)
    assert all(len(line.split(maxsplit=3)[3]) > 20 for line in command_lines())


def test_it_starts_without_torch():
    code = "import atexit, runpy, sys; atexit.register(lambda: print('torch' in sys.modules)); "
    code += "runpy.run_module('stvit_video', run_name='__main__')"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1], check=True
    )
    assert "python -m stvit_video.train" in run.stdout
    assert run.stdout.endswith("False\n")


def test_it_takes_no_settings(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("commands, each with --help:\n  python -m stvit_video.benchmark")
    assert main(["trian"]) == 2
    assert capsys.readouterr().err.startswith("error: 'trian' ")


def test_the_script_of_completions_names_all_commands(capsys):
    assert main(["--completion"]) == 0
    told = capsys.readouterr().out
    assert told.endswith("torchrun\n")
    assert all(f"stvit_video.{name}" in told for name in COMMANDS)

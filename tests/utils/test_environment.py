"""The environment report: libraries that work, fail, crash and hang, and packages that overwrite each other."""

import sys
from pathlib import Path

import pytest

from stvit_video.utils.environment import CHECKS, EXTRAS, Check, describe_environment, find_clashes, run_check

GOOD = Check("good", "print('noise')\nprint('1.2.3')", True, "needed")


@pytest.mark.parametrize(
    ("code", "works", "line"),
    [
        ("print('noise'); print('1.2.3')", True, "ok       lib: 1.2.3"),
        ("import json", True, "ok       lib: imports"),
        (
            "import not_there_at_all",
            False,
            "MISSING  lib: ModuleNotFoundError: No module named 'not_there_at_all' (use)",
        ),
        ("raise SystemExit('built for CPUs only')", False, "MISSING  lib: built for CPUs only (use)"),
        ("import os; os._exit(7)", False, "MISSING  lib: its import ends Python with code 7 (use)"),
        ("import os; os.kill(os.getpid(), 11)", False, "MISSING  lib: its import crashes Python (signal 11) (use)"),
    ],
)
def test_each_end_of_an_import(code, works, line):
    finding = run_check(Check("lib", code, True, "use"))
    assert finding.works is works
    assert finding.line() == line


def test_an_import_that_hangs_is_ended():
    finding = run_check(Check("lib", "import time; time.sleep(100)", False, "use"), time_limit_seconds=0.5)
    assert (
        finding.line() == "slow     lib: its import did not end within 0.5 s; try again when the machine is less busy"
    )


def test_a_slow_import_is_not_called_missing():
    slow = Check("torch", "import time; time.sleep(100)", True, "use")
    lines, can_train = describe_environment([GOOD, slow], time_limit_seconds=1.0)
    assert not can_train
    assert not any("MISSING" in line for line in lines)
    assert "not known: torch " in lines[-1]
    gone = Check("av", "import not_there_at_all", True, "use")
    lines, _ = describe_environment([slow, gone], time_limit_seconds=1.0)
    assert lines[-1] == "training can NOT run here; mend what is MISSING"


def test_only_needed_libraries_decide():
    optional = Check("extra", "raise SystemExit('no')", False, "use")
    lines, can_train = describe_environment([GOOD, optional])
    assert can_train
    assert lines[0].startswith(f"ok       Python: {sys.version.split()[0]}")
    assert lines[1:3] == ["ok       good: 1.2.3", "optional extra: no (use)"]
    assert lines[-1] == "training can run here"
    lines, can_train = describe_environment([GOOD, Check("torch", "raise SystemExit('no')", True, "use")])
    assert not can_train
    assert lines[-1] == "training can NOT run here; mend what is MISSING"


def test_two_packages_of_one_module():
    assert find_clashes(lambda: ["decord", "numpy"]) == []
    (line,) = find_clashes(lambda: ["numpy", "Eva_Decord", "decord"])
    assert line == (
        "clash    decord: decord and eva-decord are both installed and overwrite each other; "
        "pip uninstall -y decord eva-decord, then pip install decord"
    )


@pytest.mark.parametrize("name", ["hydra", "av"])
def test_real_checks_pass_here(name):
    (check,) = [check for check in CHECKS if check.name == name]
    finding = run_check(check)
    assert finding.works, finding.details
    assert finding.details[0].isdigit()
    assert ("libx264" in finding.details) == (name == "av")


def test_every_check_compiles_and_says_what_it_is_for():
    for check in CHECKS:
        compile(check.code, check.name, "exec")
        assert check.use
    needed = {check.name for check in CHECKS if check.is_needed}
    assert {"torch", "torchvision", "av", "hydra", "lightning"} <= needed
    assert not {"decord", "jinja2", "torchcodec", "pytorchvideo", "CUDA"} & needed


def test_the_extras_are_those_of_the_package():
    listed = (Path(__file__).parents[2] / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2]
    for name, extra, modules, command in EXTRAS:
        (line,) = [line for line in listed.splitlines() if line.startswith(f"{extra} = ")]
        assert all(f'"{module.partition(".")[0]}>=' in line for module in modules)
        (check,) = [check for check in CHECKS if name in check.name]
        assert not check.is_needed
        assert f"stvit-video[{extra}]" in check.use
        assert (Path(__file__).parents[2] / f"{command.replace('.', '/')}.py").is_file()
        assert check.use.startswith(f"for {command};")


@pytest.mark.parametrize(
    "extra",
    [
        *(pytest.param(extra, marks=pytest.mark.deploy) for extra in ("onnx", "openvino", "coreml")),
        pytest.param("demo", marks=pytest.mark.browser),
    ],
)
def test_installed_extras_work(extra):
    (check,) = [check for check in CHECKS if f"(extra {extra})" in check.name]
    finding = run_check(check)
    assert finding.works, finding.details

"""The shell scripts, run in a bare copy of the repository with a python that only logs what it is asked."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SCRIPTS = sorted((REPOSITORY / "scripts").glob("*.sh"))

# Answers -c for real; `-m venv` makes a .venv whose python is this file again; other modules are only logged.
FAKE_PYTHON = f"""#!/usr/bin/env bash
if [ "$1" = "-c" ]; then exec "{sys.executable}" "$@"; fi
echo "$*" >>"$LOG"
if [ "$2" = "$FAIL" ]; then echo "$2 fails" >&2; exit 3; fi
if [ "$2" = "venv" ]; then mkdir -p .venv/bin && cp "$0" .venv/bin/python; fi
"""


class Sandbox:
    """A folder with the scripts, a pyproject.toml and a `python3` that logs."""

    def __init__(self, root: Path):
        self.root = root / "a checkout"
        (self.root / "scripts").mkdir(parents=True)
        for script in SCRIPTS:
            shutil.copy(script, self.root / "scripts")
        (self.root / "pyproject.toml").write_text("[project]\n")
        self.python = self.executable(root / "bin" / "python3", FAKE_PYTHON)
        self.log = root / "log"

    @staticmethod
    def executable(path: Path, text: str) -> Path:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        """Run from another directory; afterwards `calls` lists what this run asked the interpreters for."""
        self.log.write_text("")
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHON"},
            "PATH": f"{self.python.parent}:{os.environ['PATH']}",
            "LOG": str(self.log),
            "FAIL": "",
            **variables,
        }
        command = ["bash", str(self.root / "scripts" / script), *arguments]
        result = subprocess.run(
            command, cwd=self.root.parent, env=environment, capture_output=True, text=True, check=False
        )
        self.calls = self.log.read_text().splitlines()
        return result


@pytest.fixture
def sandbox(tmp_path):
    return Sandbox(tmp_path)


INSTALL = "-m pip install --quiet --disable-pip-version-check --editable"
CHECKS = [
    "-m ruff check .",
    "-m ruff format --check .",
    "-m mypy",
    "-m pytest -n 2 --dist worksteal "
    "-m not slow and not gpu and not real_data and not docs and not deploy and not browser and not commands",
]
EVALUATE = "-m stvit_video.evaluate ckpt_path=outputs/quickstart/last.ckpt hydra.run.dir=outputs/quickstart/evaluate"
TRAIN = "-m stvit_video.train +experiment=quickstart hydra.run.dir=outputs/quickstart"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_syntax_and_no_registry_is_named(script):
    subprocess.run(["bash", "-n", str(script)], check=True)
    text = script.read_text()
    assert "http" not in text
    assert "index-url" not in text


def test_test_script_installs_once_and_runs_every_check(sandbox):
    first = sandbox.run("test.sh")
    assert first.returncode == 0, first.stderr
    assert sandbox.calls == ["-m venv --clear .venv", f"{INSTALL} .[dev]", *CHECKS]
    assert "== pytest ok, " in first.stdout
    second = sandbox.run("test.sh", "tests/data", "-k", "two words")
    assert second.returncode == 0, second.stderr
    assert sandbox.calls == [*CHECKS[:3], f"{CHECKS[3]} tests/data -k two words"]
    assert "packages are up to date in .venv" in second.stdout


def test_a_changed_pyproject_is_installed_again(sandbox):
    sandbox.run("test.sh")
    (sandbox.root / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    sandbox.run("test.sh")
    assert sandbox.calls == [f"{INSTALL} .[dev]", *CHECKS]


@pytest.mark.parametrize(("module", "name"), [("ruff", "ruff check"), ("mypy", "mypy"), ("pytest", "pytest")])
def test_a_failing_check_fails_the_script_with_its_status(sandbox, module, name):
    result = sandbox.run("test.sh", FAIL=module)
    assert result.returncode == 3
    assert f"== {name} FAILED after " in result.stderr
    assert "all checks passed" not in result.stdout
    assert sandbox.calls[-1].startswith(f"-m {module}")


@pytest.mark.parametrize(("script", "wanted"), [("test.sh", ".[dev]"), ("quickstart.sh", ".")])
def test_a_failed_install_stops_and_is_tried_again(sandbox, script, wanted):
    result = sandbox.run(script, FAIL="pip")
    assert result.returncode == 3
    assert sandbox.calls == ["-m venv --clear .venv", f"{INSTALL} {wanted}"]
    sandbox.run(script)
    assert sandbox.calls[0] == f"{INSTALL} {wanted}"


def test_the_development_install_serves_the_quickstart_but_not_the_reverse(sandbox):
    sandbox.run("quickstart.sh")
    assert f"{INSTALL} ." in sandbox.calls
    sandbox.run("test.sh")
    assert sandbox.calls[0] == f"{INSTALL} .[dev]"
    sandbox.run("quickstart.sh")
    assert not any("pip install" in call for call in sandbox.calls)


def test_quickstart_trains_once_then_only_evaluates(sandbox):
    first = sandbox.run("quickstart.sh")
    assert first.returncode == 0, first.stderr
    assert sandbox.calls[-2:] == [TRAIN, EVALUATE]
    assert "outputs/quickstart/evaluate" in first.stdout
    (sandbox.root / "outputs/quickstart").mkdir(parents=True)
    (sandbox.root / "outputs/quickstart/result.json").write_text("{}")
    second = sandbox.run("quickstart.sh")
    assert sandbox.calls == [EVALUATE]
    assert "training is skipped" in second.stdout
    assert "rm -r outputs/quickstart" in second.stdout
    third = sandbox.run("quickstart.sh", "trainer.max_epochs=3")
    assert sandbox.calls == [f"{TRAIN} trainer.max_epochs=3", EVALUATE]
    (aside,) = (sandbox.root / "outputs").glob("quickstart-before-*")
    assert f"the old run in outputs/quickstart is moved to outputs/{aside.name}\n" in third.stdout
    assert (aside / "result.json").read_text() == "{}"


def test_quickstart_goes_on_with_a_training_that_was_stopped(sandbox):
    run = sandbox.root / "outputs/quickstart"
    run.mkdir(parents=True)
    stopped = sandbox.run("quickstart.sh")
    assert "the old run in outputs/quickstart is moved to" in stopped.stdout  # it has saved nothing
    run.mkdir()
    (run / "last.ckpt").write_text("weights")
    again = sandbox.run("quickstart.sh")
    assert sandbox.calls == [TRAIN, EVALUATE]
    assert "the training in outputs/quickstart goes on" in again.stdout
    assert (run / "last.ckpt").read_text() == "weights"
    sandbox.run("quickstart.sh", "trainer.max_epochs=3")
    assert not run.exists()


def test_quickstart_does_not_evaluate_after_a_failed_training(sandbox):
    result = sandbox.run("quickstart.sh", FAIL="stvit_video.train")
    assert result.returncode == 3
    assert sandbox.calls[-1] == TRAIN


def test_an_interpreter_that_is_missing_or_too_old_is_named(sandbox):
    missing = sandbox.run("test.sh", PYTHON="python3.99")
    assert missing.returncode == 1
    assert re.search("error: .*no python3.99 .*3.10", missing.stderr)
    old = '#!/usr/bin/env bash\nif [ "$1" = "--version" ]; then echo "Python 3.8.1"; else exit 1; fi\n'
    path = sandbox.executable(sandbox.root / "old-python", old)
    too_old = sandbox.run("quickstart.sh", PYTHON=str(path))
    assert too_old.returncode == 1
    assert re.search(f"error: {path} .*3.8.1; .*3.10", too_old.stderr)
    assert sandbox.calls == []


def run_slurm(folder, *arguments, **variables):
    srun = folder / "srun"
    srun.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$*"\n')
    srun.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SLURM")}
    environment = kept | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"} | variables
    command = ["bash", str(REPOSITORY / "scripts" / "slurm.sh"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_slurm_starts_every_task_with_the_given_settings(tmp_path):
    done = run_slurm(tmp_path, "+experiment=k400", "run=a b", SLURM_JOB_ID="7")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "python -m stvit_video.train trainer=slurm +experiment=k400 run=a b\n"


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["run=x"], {}, "error: start this by sbatch, not by bash"),
        (["+experiment=k400"], {"SLURM_JOB_ID": "7"}, "error: give the run a name, run=my_run"),
    ],
)
def test_slurm_says_what_is_missing(tmp_path, arguments, variables, message):
    done = run_slurm(tmp_path, *arguments, **variables)
    assert done.returncode == 2
    assert done.stderr.startswith(message)
    assert done.stdout == ""

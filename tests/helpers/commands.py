"""`python -m MODULE ARGUMENTS` without waiting for the imports: a process that has them forks one for every command.

The forked one is a process as any other, with its own working directory, output and exit status; only the seconds that
torch, Lightning and Hydra take to load are spent once. That a command starts from nothing is seen where tests start it
by `sys.executable`: for train in test_train and test_resume, for evaluate and doctor in their tests.
"""

import gc
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

RunCommand = Callable[..., subprocess.CompletedProcess[str]]
LOADED = ("stvit_video.train", "stvit_video.evaluate", "stvit_video.doctor")


@pytest.fixture(scope="session")
def run_command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunCommand]:
    """A function: (module, *arguments, cwd) -> the ended process with its output, as `subprocess.run` gives it."""
    outputs = tmp_path_factory.mktemp("commands")
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def run(module: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
            paths = [str(outputs / name) for name in ("stdout", "stderr")]
            print(json.dumps([module, arguments, str(cwd), *paths]), file=server.stdin, flush=True)
            status = int(server.stdout.readline())
            told = [Path(path).read_text() for path in paths]
            return subprocess.CompletedProcess([module, *arguments], status, *told)

        yield run
        server.stdin.close()


def serve() -> tuple[str, list[str]]:
    """Fork for every request until there is no more; returns in the forked process alone, with what it has to run."""
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            return _become(*json.loads(line))
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    sys.exit()


def _become(module: str, arguments: list[str], cwd: str, stdout: str, stderr: str) -> tuple[str, list[str]]:
    os.chdir(cwd)
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        os.dup2(os.open(path, flags, 0o600), number)
    return module, arguments


def main() -> None:
    """Load, serve, and in a forked process run the command to the end of the process."""
    loaded: Any = [__import__(name) for name in LOADED]
    assert loaded
    gc.freeze()  # a collection in a forked process would copy every page
    module, arguments = serve()
    sys.argv = [module, *arguments]
    del sys.modules[module]  # it becomes __main__
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""One job as processes of its own: started, watched, and ended with everything that it has started."""

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

OUTPUT_FILE = "output.txt"
MARK = "STVIT_SWEEP_JOB"  # in the environment of all processes of a job, those in other process groups too
ERROR_START = "error:"
SEPARATOR = "--- sweep: "  # before the output of every start
TAIL_BYTES = 20_000


class JobProcess:
    """A running job, in a process group of its own.

    Args:
        command: program and arguments.
        run_dir: the job's folder, made if it is missing; what the job prints is added to its output.txt.
        environment: of the job, beside that of this process.

    Raises:
        OSError: the folder can't be made, or the program not started.
    """

    def __init__(self, command: Sequence[str], *, run_dir: Path, environment: Mapping[str, str]) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self.run_dir = run_dir.resolve()
        with (run_dir / OUTPUT_FILE).open("ab") as output:
            output.write(f"{SEPARATOR}{shlex.join(command)}\n".encode())
            output.flush()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment, MARK: str(self.run_dir)},
                start_new_session=True,
            )
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._start

    def exit_status(self) -> int | None:
        """Of the first process, negative = the signal that ended it; None = it runs. Nothing of the job outlives it."""
        status = self._process.poll()
        if status is not None:
            self.kill()
        return status

    def ask_to_end(self) -> None:
        """Send SIGTERM to the first process; torchrun and Lightning tell the others, so that all end in order."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End every process of the job at once, those that ignore SIGTERM and those in groups of their own too."""
        if self._process.returncode is None:
            _signal_group(self._process.pid)
        kill_marked(self.run_dir)


def _signal_group(group: int) -> None:
    """Send SIGKILL to a process group that may be gone."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # the latter is what macOS says of zombies
        return


def marked_processes(run_dir: Path) -> list[int]:
    """Numbers of this machine's processes that belong to the job in that folder; none where there is no /proc."""
    mark = f"{MARK}={run_dir.resolve()}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended, or is another user's
            continue
        if mark in variables and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def kill_marked(run_dir: Path, *, limit_seconds: float = 5.0) -> int:
    """End what is left of the job in that folder, and wait until it is gone.

    Returns:
        How many processes there were at first.
    """
    left = marked_processes(run_dir)
    num_found = len(left)
    deadline = time.monotonic() + limit_seconds
    while left and time.monotonic() < deadline:
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)
        left = marked_processes(run_dir)
    return num_found


def result_line(run_dir: Path) -> str | None:
    """What the job's result.json says in a line; None = there is no whole one."""
    try:
        result = json.loads((run_dir / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(result.get("result", "")) if isinstance(result, dict) else None


def error_line(run_dir: Path, *, status: int) -> str:
    """Why a job failed: the last line of its output that starts with "error:", else the last one at all."""
    words = f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    with (run_dir / OUTPUT_FILE).open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
        tail = file.read().decode("utf-8", errors="replace")
    _, separator, after = tail.rpartition(SEPARATOR)
    own = after.partition("\n")[2] if separator else tail
    lines = [line.strip() for line in own.replace("\r", "\n").split("\n") if line.strip()]
    errors = [line.removeprefix(ERROR_START).strip() for line in lines if line.startswith(ERROR_START)]
    if errors:
        return errors[-1]
    return f"{words}: {lines[-1]}" if lines else f"{words}, without a word"

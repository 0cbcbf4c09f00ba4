"""Start the process of a row and ask it; whatever becomes of it, the row gets a sentence."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable
from typing import IO, Any, Protocol

from stvit_video.model_benchmark.row_worker import FAILED, MEMORY
from stvit_video.utils.child_processes import register_owner

END_SECONDS = 5.0  # a killed process that waits for a dead network disk does not end
MAX_WORDS = 200
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from stvit_video.model_benchmark.row_worker import serve; serve(int(sys.argv[1]))"
)


class RowError(RuntimeError):
    """A row can't be measured.

    Attributes:
        kind: "memory", "missing" (a library) or "failed".
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Asked(Protocol):
    """What answers the requests of `RowService`."""

    def ask(self, request: dict[str, Any]) -> dict[str, Any]: ...

    def end(self) -> None: ...


Start = Callable[[int], Asked]  # from the number of threads


class RowProcess:
    """A fresh process that measures one row.

    Args:
        threads: that torch may use there.
    """

    def __init__(self, threads: int) -> None:
        self._words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        variables = {name: str(threads) for name in THREAD_VARIABLES}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _BOOT, str(threads), json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
            env={**os.environ, **variables, "HF_HUB_OFFLINE": "1"},  # random weights; nobody asks the network
        )
        self._stop = weakref.finalize(self, _stop, self._process)
        register_owner(self)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for the answer.

        Raises:
            RowError: the answer is an error, or the process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RowError(answer["error"], answer["text"])
        return answer

    def end(self) -> None:
        """Kill the process; nothing is lost."""
        self._stop()
        self._words.close()

    def _ended(self) -> RowError:
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return RowError(MEMORY, "the system has killed its process, as it does where memory runs out")
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")[:MAX_WORDS]
        how = f"signal {-code}" if code < 0 else f"status {code}"
        return RowError(FAILED, f"its process ended with {how}: {last}")


def _stop(process: "subprocess.Popen[str]") -> None:
    """Kill, wait and close the pipes."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
    try:
        process.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        return

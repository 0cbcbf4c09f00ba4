"""Commands of ours in a shell, without waiting for their imports: `python` on the PATH asks a process that has them.

`python -m stvit_video.x` and `python scripts/x.py` are forked from it, with the directory, environment, standard input,
output and exit status of the caller, so that pipes and redirections work; every other `python` is the real one. What
`DOCS_TEST_MORE` holds is added to the settings of trainings, or of all where the block trains nothing.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import stat
import sys
from pathlib import Path
from typing import Any

LOADED = ("stvit_video.train", "stvit_video.evaluate", "stvit_video.doctor", "stvit_video.predict")
SHIM = """#!{python} -SEs
import json, os, re, socket, sys
words = sys.argv[1:]
line = " ".join(words)
ours = re.match(r"-m stvit_video\\b|scripts/", line)
if not ours:
    os.execv({python!r}, [{python!r}, *words])
more = json.loads(os.environ.get("DOCS_TEST_MORE", "[]"))
if words[:2] == ["-m", "stvit_video.train"] or not os.environ.get("DOCS_TEST_TRAINS"):
    words += more
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = json.dumps([words, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(request).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(request)
    sys.exit(int(server.recv(16) or b"1"))
"""


def write_shims(folder: Path, *, address: str) -> None:
    """Write `python` and `python3` into a folder for the PATH."""
    for name in ("python", "python3"):
        shim = folder / name
        shim.write_text(SHIM.format(python=sys.executable, address=address), encoding="utf-8")
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)


def serve(listener: socket.socket) -> list[str]:
    """Fork for every caller until this process is ended; returns in a forked process, with the words that it runs."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forked ones
    while True:
        caller, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _become_one_of(caller)
        caller.close()


def _become_one_of(caller: socket.socket) -> list[str]:
    """Fork once more: one becomes the command, the other one waits for it and tells its status."""
    size, streams, _, _ = socket.recv_fds(caller, 4, 3)
    text = b""
    while len(text) < int.from_bytes(size, "big"):
        text += caller.recv(65536)
    words, cwd, environment = json.loads(text)
    process = os.fork()
    if process:
        for stream in streams:
            os.close(stream)
        _wait(process, caller)
    caller.close()
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    return words


def _wait(process: int, caller: socket.socket) -> None:
    """End with the process, and end it where the caller is gone."""
    while not (done := os.waitpid(process, os.WNOHANG))[0]:
        gone, _, _ = select.select([caller], [], [], 0.02)
        if gone:
            os.killpg(process, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(done[1])
    caller.sendall(str(status if status >= 0 else 128 - status).encode())
    os._exit(0)


def main() -> None:
    """Load, serve, and in a forked process run the command to the end of the process."""
    loaded: Any = [__import__(name) for name in LOADED]
    assert loaded
    gc.freeze()  # a collection in a forked process would copy every page
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    print("ready", flush=True)
    words = serve(listener)
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.modules.pop(words[1], None)  # it becomes __main__
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path.insert(0, str(Path(words[0]).resolve().parent))
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main()

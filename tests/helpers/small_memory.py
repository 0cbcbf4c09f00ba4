"""Commands that see a /dev/shm of few bytes, as in a container: by a private mount, where the machine allows one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MOUNT = "mount -t tmpfs -o size={size} tmpfs /dev/shm"


def run_in_small_memory(size: str, *words: str, cwd: Path, seconds: float = 100) -> subprocess.CompletedProcess[str]:
    """`python WORDS` with a shared memory of `size`, such as "64m"; one that hangs fails the test.

    The test is skipped where no private mount is allowed; test_video_loader then has the same fault by other means.
    """
    mount = MOUNT.format(size=size)
    prefix = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    tools = shutil.which("unshare") and shutil.which("mount")
    if not tools or subprocess.run([*prefix, mount], capture_output=True, check=False).returncode:
        pytest.skip("needs a private mount of /dev/shm, which this machine does not allow")
    command = [*prefix, f'{mount} && exec "$@"', "sh", sys.executable, *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False)

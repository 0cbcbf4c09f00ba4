"""Runs pytest on a made-up test file, under the settings of this repository."""

import os
import subprocess
import sys
from pathlib import Path

SETTINGS = Path(__file__).parents[2] / "pyproject.toml"


def run_pytest(folder: Path, code: str, *options: str, hang_seconds: float = 0.5) -> subprocess.CompletedProcess[str]:
    """Run test_it.py of this code, and the folder's other files.

    Args:
        folder: where the file is written.
        code: of the file.
        options: more for pytest; plugins that are installed must be named.
        hang_seconds: the limit of a test, in place of that of our settings.
    """
    (folder / "test_it.py").write_text(code)
    command = [sys.executable, "-m", "pytest", "-c", str(SETTINGS), f"--rootdir={folder}", "-p", "no:cacheprovider"]
    limit = ["-o", f"faulthandler_timeout={hang_seconds}", "-p", "watchdog"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # quicker
    run = [*command, *limit, *options, str(folder)]
    return subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False)

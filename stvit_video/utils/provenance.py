"""Where a measurement comes from: commit, versions, hardware, date."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

from stvit_video import __version__
from stvit_video.utils.processor import processor_name

PACKAGE_DIR = Path(__file__).resolve().parents[1]


def provenance(device: torch.device) -> dict[str, Any]:
    """Commit, versions, hardware and date of a measurement."""
    return {
        "commit": current_commit(),
        "hardware": describe_hardware(device),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": {
            "stvit_video": __version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
        },
    }


def describe_hardware(device: torch.device) -> str:
    """Name of the GPU, or of the processor and the threads that torch uses."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{processor_name()}, {torch.get_num_threads()} threads"


def load_average() -> float | None:
    """Processes that ran in the last minute; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def load_words(load: float | None) -> str:
    """A load as the head of a measurement has it."""
    return "unknown" if load is None else f"{load:.1f}"


def current_commit() -> str | None:
    """Commit of the checkout that this package runs from, "+changes" where files differ; None without git."""
    try:
        commit = _git("rev-parse", "HEAD")
        return f"{commit}+changes" if _git("status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(PACKAGE_DIR.parent), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

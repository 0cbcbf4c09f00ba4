"""Tar shards written by tarfile alone, sample by sample."""

import io
import json
import tarfile
from pathlib import Path


def write_tar(path: Path, members: dict[str, object], *, mode: str = "w") -> Path:
    """Write members in order: bytes as they are, a dictionary as JSON, anything else as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:
        for name, value in members.items():
            text = json.dumps(value) if isinstance(value, dict) else str(value)
            content = value if isinstance(value, bytes) else text.encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def samples(*names: str, label: str = "run") -> dict[str, object]:
    """Members of samples with this label, whose video is its own name as bytes."""
    members: dict[str, object] = {}
    for name in names:
        members |= {f"{name}.mp4": name.encode(), f"{name}.json": {"label": label}}
    return members

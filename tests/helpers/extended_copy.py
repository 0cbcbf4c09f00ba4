"""A copy of the package that a page of docs/develop extends, and commands in it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FILE = re.compile(r"^`((?:stvit_video|tests)/\S+\.py)`[^\n]*\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def page(name):
    """The text of a page of docs/develop."""
    return (REPOSITORY / "docs" / "develop" / name).read_text(encoding="utf-8")


def blocks(text, language="python"):
    """The code blocks of a page, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def copy_package(root):
    """Copy what commands and tests of a copy need."""
    for folder in ("stvit_video", "conf", "tests/helpers"):
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def write_files(root, text):
    """Write the files that a page shows under their names."""
    for name, code in FILE.findall(text):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(code, encoding="utf-8")


def insert(path, code, *, before):
    """Put code in front of a line of a file, which it has once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, before
    path.write_text(text.replace(before, code + before), encoding="utf-8")


def run(root, *arguments, status=0):
    """Run Python in the copy; what it prints."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root / "tests" / "helpers")])}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr

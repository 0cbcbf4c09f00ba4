"""The worked example of docs/develop/add_a_backbone.md, taken from the page and run in a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "develop" / "add_a_backbone.md"
FILE = re.compile(r"^`((?:stvit_video|tests)/\S+\.py)`\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
CHANGE = re.compile(r"^```diff\n(.*?)^```", re.MULTILINE | re.DOTALL)
CHANGED = ("stvit_video/models/registry.py", "tests/test_all_models.py")
USE = re.compile(r"^No further line .*?```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def patched(text: str, change: str) -> str:
    """`text` with each `+` line of a change behind the line that stands before it there."""
    lines, place = text.splitlines(), -1
    for line in change.splitlines():
        if line.startswith("+"):
            place += 1
            lines.insert(place, line[1:])
        else:
            place = lines.index(line[1:], place + 1)
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A repository with the package as the page says to extend it."""
    root, page = tmp_path_factory.mktemp("repository"), PAGE.read_text(encoding="utf-8")
    for folder in ("stvit_video", "conf", "tests/helpers"):
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "stvit_video/models/toy").mkdir()
    (root / "stvit_video/models/toy/__init__.py").touch()
    for name, text in FILE.findall(page):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    for name, change in zip(CHANGED, CHANGE.findall(page), strict=True):
        text = patched((REPOSITORY / name).read_text(encoding="utf-8"), change)
        (root / name).write_text(text, encoding="utf-8")
    return root


def run(copy, *arguments):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(copy), str(copy / "tests" / "helpers")])}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_holds_the_files_that_it_lists():
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name, _ in FILE.findall(page)] == [
        *(f"stvit_video/models/toy/{file}.py" for file in ("model", "variants", "plan", "family")),
        "tests/models/toy/test_model.py",
    ]
    assert len(CHANGE.findall(page)) == len(CHANGED)


def test_what_the_page_says_works(copy):
    program = USE.search(PAGE.read_text(encoding="utf-8"))[1]
    where = "import stvit_video\nprint(stvit_video.__file__)\n"
    output = run(copy, "-c", where + program).splitlines()
    assert Path(output[0]).is_relative_to(copy)
    assert output[1].startswith("stvit_video state dict: ")
    rows = [line for line in output[2:] if "toy_tiny" in line]
    assert len(rows) == 6


def test_the_tests_of_the_page_pass_and_every_promise_holds(copy):
    chosen = ["tests/models/toy", "tests/test_all_models.py", "-k", "toy"]
    output = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *chosen)
    assert " passed" in output


@pytest.mark.skipif((REPOSITORY / "conf/model/_deit.yaml").exists(), reason="nodes of conf/model are written by hand")
def test_a_training_takes_the_new_model(copy):
    small = ["model.embed_dim=8", "model.num_heads=2", "model.elastic=[4,8]", "trainer.max_epochs=1"]
    small += ["optim.warmup_epochs=0", "optim.layer_decay=0.7"]
    run(copy, "-m", "stvit_video.train", "+experiment=quickstart", "model=stvit_video_toy_tiny", *small, "run=toy")

"""The worked example of docs/develop/add_a_backbone.md, taken from the page and run in a copy of the package."""

import re
from pathlib import Path

import pytest
from extended_copy import FILE, REPOSITORY, copy_package, page, run, write_files
from layering import twin_of

pytestmark = pytest.mark.commands

PAGE = page("add_a_backbone.md")
CHANGE = re.compile(r"^```diff\n(.*?)^```", re.MULTILINE | re.DOTALL)
CHANGED = ("stvit_video/models/registry.py", "tests/test_all_models.py", "tests/helpers/short_models.py")
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
    root = copy_package(tmp_path_factory.mktemp("repository"))
    (root / "stvit_video/models/toy").mkdir()
    (root / "stvit_video/models/toy/__init__.py").touch()
    write_files(root, PAGE)
    for name, change in zip(CHANGED, CHANGE.findall(PAGE), strict=True):
        text = patched((REPOSITORY / name).read_text(encoding="utf-8"), change)
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_the_page_holds_the_files_that_it_lists_and_a_test_file_for_each():
    shown = [Path(name) for name, _ in FILE.findall(PAGE)]
    modules = [path for path in shown if path.parts[0] == "stvit_video"]
    assert modules == [Path(f"stvit_video/models/toy/{file}.py") for file in ("model", "variants", "plan", "family")]
    assert {path for path in shown if path not in modules} == {twin_of(path) for path in modules}
    assert len(CHANGE.findall(PAGE)) == len(CHANGED)


def test_what_the_page_says_works(copy):
    program = USE.search(PAGE)[1]
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


def test_a_training_takes_the_new_model(copy):
    small = ["model.embed_dim=8", "model.num_heads=2", "model.elastic=[4,8]", "trainer.max_epochs=1"]
    small += ["optim.warmup_epochs=0", "optim.layer_decay=0.7", "data.num_train=64", "data.num_val=16"]
    run(copy, "-m", "stvit_video.train", "+experiment=quickstart", "model=stvit_video_toy_tiny", *small, "run=toy")


def test_the_training_that_the_page_shows_for_dense_models_runs(copy):
    command = re.search(r"^python (-m stvit_video\.train model=video_toy_tiny .*)$", PAGE, re.MULTILINE)[1].split()
    run(copy, *command, "data.num_frames=4", "model.embed_dim=8", "run=dense")

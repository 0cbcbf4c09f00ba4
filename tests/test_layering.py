"""The walls between the rooms: which module may import which, and what keeps imports light.

The check is a function from names and texts of modules to a list of faults, so that it can be tried on
made-up sources that break a rule; the last tests apply it to the package itself.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = "stvit_video"
ROOT = "(root)"  # stvit_video/__init__.py, which holds the version and imports nothing
LEAF = "optional"  # stvit_video/optional.py, which imports nothing of ours
MAY_IMPORT = {
    "layers": set(),
    "tokens": {"layers"},
    "models": {"layers", "tokens", LEAF, ROOT},
    "data": {LEAF, ROOT},
    "evaluation": {LEAF, ROOT},
    "training": {"models", "data", "evaluation", LEAF, ROOT},
    "sweeps": {"training"},
    LEAF: set(),
    ROOT: set(),
}
LAZY = {"pyarrow", "pytorchvideo", "decord", "av", "fvcore", "matplotlib"}  # slow or broken: only where needed
TORCH_ONLY = {"layers", "tokens"}  # rooms without third-party libraries but torch
MAX_LINES = 350


def layering_faults(sources: dict[str, str]) -> list[str]:
    """A sentence for every import that a rule forbids, in modules given as {dotted name: text}."""
    trees = {name: ast.parse(text) for name, text in sources.items()}
    entries = {name for name, tree in trees.items() if name.count(".") == 1 and _runs_as_main(tree)}
    faults = []
    for name, tree in trees.items():
        for line, target in _imports(tree, known=set(sources)):
            fault = _fault(name, target, entries=entries, rooms=_rooms(sources))
            if fault:
                faults.append(f"{name}, line {line}: {fault}")
        for line, target in _imports(tree, known=set(sources), at_top=True):
            if target.split(".")[0] in LAZY:
                faults.append(f"{name}, line {line}: {target} is imported at the top; import it where it is needed")
    return faults


def _rooms(sources: dict[str, str]) -> set[str]:
    return {name.split(".")[1] for name in sources if name.count(".") == 2} | (set(MAY_IMPORT) - {LEAF, ROOT})


def _fault(name: str, target: str, *, entries: set[str], rooms: set[str]) -> str | None:
    top = target.split(".")[0]
    room = _room(name)
    if target.startswith("."):
        return f"{target} is a relative import; write the full name"
    if top != PACKAGE:
        third_party = top not in sys.stdlib_module_names and top != "torch"
        return f"{room} imports {top}; this room knows torch only" if room in TORCH_ONLY and third_party else None
    if target in entries:
        return f"{target} is an entry module; nothing imports those"
    if room in rooms and room not in MAY_IMPORT:
        return f"room {room} stands in no rule; add it to MAY_IMPORT"
    if room not in MAY_IMPORT or _room(target) == room:  # top-level modules may import anything else
        return None
    allowed = ", ".join(sorted(MAY_IMPORT[room])) or "none of ours"
    if _room(target) not in MAY_IMPORT[room]:
        return f"{room} must not import {target}; it may import {allowed}"
    return None


def _room(name: str) -> str:
    """The folder, or for a module beside the folders its own name."""
    return name.split(".")[1] if "." in name else ROOT


def _imports(tree: ast.AST, *, known: set[str], at_top: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full name of every imported module; with `at_top`, of those that are imported on import."""
    for node in _run_on_import(tree) if at_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield node.lineno, full if full in known else base


def _run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if function or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            continue
        yield child
        yield from _run_on_import(child)


def _runs_as_main(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in tree.body)


def twin_of(module: Path) -> Path | None:
    """The test file of a module, relative to the repository; None for an __init__.py."""
    if module.name == "__init__.py":
        return None
    return Path("tests", *module.parts[1:-1], f"test_{module.name}")


# --- the check finds what it is for ---

GOOD = {
    "stvit_video": "__version__ = '1'",
    "stvit_video.optional": "import importlib",
    "stvit_video.layers.mlp": "import math\nimport torch\nfrom torch import nn",
    "stvit_video.layers.block": "from stvit_video.layers.mlp import Mlp",
    "stvit_video.tokens.grid": "from stvit_video.layers.mlp import Mlp",
    "stvit_video.models.deit": "from stvit_video.tokens.grid import X\nfrom stvit_video import __version__",
    "stvit_video.data.decode": "import numpy\nfrom stvit_video.optional import x\ndef f():\n    import av",
    "stvit_video.evaluation.plots": "def f():\n    from matplotlib import pyplot",
    "stvit_video.training.module": "import stvit_video.models.deit\nfrom stvit_video.data import decode",
    "stvit_video.inference": "from stvit_video.models.deit import DeiT",
    "stvit_video.train": "import stvit_video.inference\nif __name__ == '__main__':\n    print()",
}


def test_sources_that_keep_the_rules_have_no_faults():
    assert layering_faults(GOOD) == []


@pytest.mark.parametrize(
    ("module", "text", "fault"),
    [
        (
            "layers.a",
            "from stvit_video.tokens import grid",
            "layers must not import stvit_video.tokens.grid; ",
        ),
        (
            "layers.a",
            "import stvit_video.optional",
            "import stvit_video.optional; it may import none of ours",
        ),
        ("layers.a", "import numpy", "layers imports numpy; this room knows torch only"),
        (
            "tokens.a",
            "\n\nfrom stvit_video.models.deit import X",
            "line 3: tokens must not import stvit_video.m",
        ),
        (
            "models.a",
            "from stvit_video.data.decode import x",
            "models must not import stvit_video.data.decode",
        ),
        ("models.a", "from stvit_video import data", "models must not import stvit_video.data; "),
        (
            "data.a",
            "def f():\n    import stvit_video.models.deit",
            "line 2: data must not import stvit_video.mo",
        ),
        ("evaluation.a", "from stvit_video.data.decode import x", "it may import (root), optional"),
        (
            "training.a",
            "from stvit_video.tokens.grid import x",
            "training must not import stvit_video.tokens.",
        ),
        (
            "training.a",
            "from stvit_video.inference import x",
            "training must not import stvit_video.inference",
        ),
        ("data.a", "from stvit_video.train import main", "train is an entry module; nothing imports those"),
        ("evaluate", "from stvit_video import train", "train is an entry module; nothing imports those"),
        ("optional", "import stvit_video.data.decode", "optional must not import stvit_video.data.decode"),
        ("data.a", "from .decode import x", ".decode is a relative import; write the full name"),
        ("data.a", "import av", "av is imported at the top; import it where it is needed"),
        (
            "data.a",
            "try:\n    import decord\nexcept ImportError: pass",
            "line 2: decord is imported at the top",
        ),
        ("evaluation.a", "class A:\n    from matplotlib import pyplot", "matplotlib is imported at the top"),
        ("models.a", "import pytorchvideo.models.hub", "pytorchvideo.models.hub is imported at the top"),
        (
            "kitchen.a",
            "import stvit_video.data.decode",
            "room kitchen stands in no rule; add it to MAY_IMPORT",
        ),
    ],
)
def test_each_rule_finds_its_breach(module, text, fault):
    data = {"stvit_video.data": ""} if "import data" in text else {}
    faults = layering_faults({**GOOD, **data, f"stvit_video.{module}": text})
    assert len(faults) == 1
    assert fault in faults[0]
    assert faults[0].startswith(f"stvit_video.{module}, line ")


def test_imports_for_type_checkers_are_not_run():
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import av"
    assert layering_faults({**GOOD, "stvit_video.data.a": text}) == []


def test_twins_by_hand():
    assert twin_of(Path("stvit_video/data/decode.py")) == Path("tests/data/test_decode.py")
    assert twin_of(Path("stvit_video/train.py")) == Path("tests/test_train.py")
    assert twin_of(Path("stvit_video/data/__init__.py")) is None


# --- the package keeps the rules ---


@pytest.fixture(scope="module")
def modules() -> list[Path]:
    found = sorted(path.relative_to(REPOSITORY) for path in (REPOSITORY / PACKAGE).rglob("*.py"))
    assert Path("stvit_video/optional.py") in found
    return found


def dotted_name(module: Path) -> str:
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")


def test_the_package_keeps_its_walls(modules):
    sources = {dotted_name(path): (REPOSITORY / path).read_text(encoding="utf-8") for path in modules}
    assert not layering_faults(sources), "\n".join(layering_faults(sources))


def test_every_module_has_its_test_file(modules):
    twins = {path: twin_of(path) for path in modules}
    lacking = [f"{path} needs {twin}" for path, twin in twins.items() if twin and not (REPOSITORY / twin).is_file()]
    assert not lacking, "\n".join(lacking)


def test_no_file_is_longer_than_350_lines():
    files = [path for folder in (PACKAGE, "tests", "scripts") for path in (REPOSITORY / folder).rglob("*.py")]
    lengths = {path.relative_to(REPOSITORY): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    too_long = [f"{path} has {lines} lines" for path, lines in lengths.items() if lines > MAX_LINES]
    assert not too_long, "\n".join(too_long)


MEASURE = """
import sys, time
start = time.process_time()
import torch
bare = time.process_time() - start
import stvit_video, stvit_video.models
print((time.process_time() - start) / bare, *sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_import_is_quick_and_leaves_the_heavy_libraries_alone():
    """Against torch's own import, in processor time: neither a slow machine nor other jobs disturb it."""
    run = subprocess.run([sys.executable, "-c", MEASURE], cwd=REPOSITORY, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    ratio, *loaded = run.stdout.split()
    assert not LAZY & set(loaded)
    assert float(ratio) < 1.5  # 1.04 with torch 2.14

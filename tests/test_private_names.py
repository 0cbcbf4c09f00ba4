"""No test leans on a private name of another library, which may go with any release of it."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
OURS = ("stvit_video", "__future__")
DOCUMENTED = ("os._exit",)  # with its underscore, in its library's reference


def private_names(source: str) -> list[str]:
    """What a file imports, or reaches through an imported module or name, that another library keeps to itself.

    Names of our own package may be private: its tests look inside.
    """
    tree, foreign, found = ast.parse(source), set(), []
    for node in ast.walk(tree):
        for module, name, bound in _imports(node):
            if module.split(".")[0] not in OURS:
                foreign.add(bound)
                if any(_is_private(part) for part in [*module.split("."), name]):
                    found.append(f"{module}.{name}".rstrip("."))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr) and _root(node) in foreign:
            found.append(ast.unparse(node))
    return [name for name in found if name not in DOCUMENTED]


def _imports(node: ast.AST) -> list[tuple[str, str, str]]:
    """(module, name within it or "", name that it has in the file)."""
    if isinstance(node, ast.Import):
        return [(part.name, "", part.asname or part.name.split(".")[0]) for part in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "", part.name, part.asname or part.name) for part in node.names]
    return []


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from torch.utils._pytree import tree_leaves", ["torch.utils._pytree.tree_leaves"]),
        ("from lightning.fabric.connector import _PRECISION as P", ["lightning.fabric.connector._PRECISION"]),
        ("import torch._dynamo", ["torch._dynamo"]),
        ("import torch as t\nt._C._cuda()", ["t._C._cuda", "t._C"]),
        ("import os\nos._exit(0)", []),
        ("from stvit_video.data import isolated\nisolated._acquire()\nfrom stvit_video.x import _y", []),
        ("from __future__ import annotations\nimport torch\ntorch.__version__", []),
    ],
)
def test_what_counts(source, found):
    assert private_names(source) == found


def test_no_test_uses_a_private_name_of_another_library():
    files = sorted(TESTS.rglob("*.py"))
    found = [f"{path.relative_to(TESTS)}: {name}" for path in files for name in private_names(path.read_text("utf-8"))]
    assert found == []

"""The stored answers in tests/golden, and the module there that makes weights by name."""

import importlib.util
from pathlib import Path
from types import ModuleType

GOLDEN = Path(__file__).parents[1] / "golden"


def golden_fill() -> ModuleType:
    """tests/golden/fill.py as a module."""
    spec = importlib.util.spec_from_file_location("fill", GOLDEN / "fill.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

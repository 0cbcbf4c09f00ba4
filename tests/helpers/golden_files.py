"""The stored answers in tests/golden, and the module there that makes weights by name."""

from pathlib import Path
from types import ModuleType

from loaded_file import load_file

GOLDEN = Path(__file__).parents[1] / "golden"


def golden_fill() -> ModuleType:
    """tests/golden/fill.py as a module."""
    return load_file(GOLDEN / "fill.py")

"""Python files that are in no package, such as those of scripts/, as modules."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

__all__ = ["load_file", "load_script"]

SCRIPTS = Path(__file__).parents[2] / "scripts"


def load_file(path: Path) -> ModuleType:
    """The file as a module, anew with each call.

    While it runs it can import its neighbours and is among the loaded modules, where its dataclasses look it up; no
    import finds it afterwards.

    Raises:
        FileNotFoundError: there is no such file.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(path.parent))
        patch.setitem(sys.modules, path.stem, module)
        spec.loader.exec_module(module)
    return module


def load_script(name: str) -> ModuleType:
    """scripts/NAME.py, see `load_file`."""
    return load_file(SCRIPTS / f"{name}.py")

"""What tests of scripts share."""

from types import ModuleType

import pytest
from loaded_file import load_script


@pytest.fixture(scope="module")
def script(request: pytest.FixtureRequest) -> ModuleType:
    """The script that a test file is about: scripts/NAME.py of tests/scripts/test_NAME.py."""
    return load_script(request.path.stem.removeprefix("test_"))

"""The fakes beside this file can be imported by the tests."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

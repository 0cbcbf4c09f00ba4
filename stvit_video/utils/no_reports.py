"""OpenVINO and NNCF without reports of their use, which they send to their makers by a thread of their own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH = "CI"  # in which openvino_telemetry sends nothing where it is "true"


@contextmanager
def without_reports() -> Iterator[None]:
    """Within, what imports and calls these libraries lets nothing leave the machine; afterwards all is as before."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before

"""Addresses of object stores, told from local paths."""

import re
from typing import Annotated

Place = Annotated[str, "place"]  # of a file or folder, or an address: the type of settings that are such
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(place: str) -> bool:
    """True = "protocol://...", which is no local file."""
    return ADDRESS.match(place) is not None

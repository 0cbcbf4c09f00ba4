"""Addresses of object stores, told from local paths."""

import re

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(place: str) -> bool:
    """True = "protocol://...", which is no local file."""
    return ADDRESS.match(place) is not None

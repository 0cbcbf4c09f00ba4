"""Addresses of object stores, servers and cameras: told from local paths, and shown without their secrets."""

import re
from typing import Annotated

Place = Annotated[str, "place"]  # of a file or folder, or an address: the type of settings that are such
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(place: str) -> bool:
    """True = "protocol://...", which is no local file."""
    return ADDRESS.match(place) is not None


def shown_address(address: str) -> str:
    """The address as it may be printed and written: without user name, password, query and fragment.

    A query becomes "?...". What is no address stays as it is.
    """
    if not is_address(address):
        return address
    protocol, rest = address.split("://", 1)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        rest = authority.rpartition("@")[2] + rest[len(authority) :]
    elif ":" in authority and "@" in _unsure_part(rest, authority):  # it may be a password with one of / ? # in it
        rest = rest.rpartition("@")[2]
    place, mark, _ = rest.partition("?")
    return f"{protocol}://{place.partition('#')[0]}{'?...' if mark else ''}"


def _unsure_part(rest: str, authority: str) -> str:
    """What a password may reach into: behind a number, which may be a port, and a path it is surely the query."""
    port = authority.rpartition(":")[2]
    is_plain = (port.isdigit() or authority.endswith("]")) and rest[len(authority) :].startswith("/")
    return re.split(r"[?#]", rest, maxsplit=1)[0] if is_plain else rest

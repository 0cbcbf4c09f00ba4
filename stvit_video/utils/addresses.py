"""Addresses of object stores, servers and cameras: told from local paths, and shown without their secrets."""

import re
from typing import Annotated

Place = Annotated[str, "place"]  # of a file or folder, or an address: the type of settings that are such
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
PROTOCOL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+|):/+")
LIKE_ADDRESS = re.compile(r"(?s).*://|[A-Za-z][A-Za-z0-9+.-]+:/.*@|[A-Za-z]+//.*:.*@|[^/\\]+:.*@")


def is_address(place: str) -> bool:
    """True = "protocol://...", which is no local file."""
    return ADDRESS.match(place) is not None


def shown_address(address: str) -> str:
    """The address as it may be printed and written: without user name, password, query and fragment.

    A query becomes "?...". What is no address stays as it is. Where a user name or password may reach into the path or
    the query, all up to the last @ is left out, and where that can't be told, all but the protocol.
    """
    if not is_address(address):
        return address
    protocol, rest = address.split("://", 1)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        place, mark, query = rest.partition("?")
        if mark and "@" in query:  # a password with @ and ?, or a query with @: what lies between may be secret
            return f"{protocol}://..."
        rest = place.rpartition("@")[2] + mark + query
    elif ":" in (authority or rest.partition("@")[0]) and "@" in _unsure_part(rest, authority):
        # it may be a password with one of / ? # in it
        rest = rest.rpartition("@")[2]
    place, mark, _ = rest.partition("?")
    return f"{protocol}://{place.partition('#')[0]}{'?...' if mark else ''}"


def shown_path(path: str) -> str:
    """A path that may be a mistyped address, as it may be printed: without what stands before its last @.

    What has neither "://" nor "protocol:/...@" or "user:password@" stays as it is.
    """
    if is_address(path):
        return shown_address(path)
    if not LIKE_ADDRESS.match(path):
        return path
    protocol = PROTOCOL.match(path)
    place, mark, _ = path.rpartition("@")[2].partition("?") if "@" in path else path.partition("?")
    start = f"{protocol[0]}...@" if protocol else "...@"
    return f"{start if '@' in path else ''}{place.partition('#')[0]}{'?...' if mark else ''}"


def is_like_address(path: str) -> bool:
    """True = an address, or what may be one that is mistyped."""
    return LIKE_ADDRESS.match(path) is not None


def _unsure_part(rest: str, authority: str) -> str:
    """What a password may reach into: behind a number, which may be a port, and a path it is surely the query."""
    port = authority.rpartition(":")[2]
    is_plain = (port.isdigit() or authority.endswith("]")) and rest[len(authority) :].startswith("/")
    return re.split(r"[?#]", rest, maxsplit=1)[0] if is_plain else rest

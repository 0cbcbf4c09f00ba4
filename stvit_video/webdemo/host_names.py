"""The names that the demo may be called by, against pages elsewhere whose name leads here (DNS rebinding)."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["EVERYWHERE", "HERE", "HostNames", "host_names", "read_host_name"]

HERE = ("127.0.0.1", "localhost", "::1")  # names of this machine for itself
EVERYWHERE = ("0.0.0.0", "::")
NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")


class HostNames(NamedTuple):
    """Names, in small letters.

    Attributes:
        names: that are taken.
        any_address: whether every IP address is, too; no name of another's leads here then.
    """

    names: frozenset[str]
    any_address: bool = False

    def take(self, host: str) -> bool:
        """Whether a header Host, which may end in a port, has one of them."""
        name = ""
        with suppress(ValueError):  # as of a bracket alone
            name = urlsplit(f"//{host}").hostname or ""
        if not name or set(host) & set("@/?# \\"):
            return False
        return name in self.names or (self.any_address and _is_address(name))

    def words(self, port: int) -> str:
        """The sentence for a visitor who calls it by another one."""
        places = [f"[{name}]" if ":" in name else name for name in sorted(self.names)]
        others = ["any address of this machine"] if self.any_address else []
        return (
            f"This demo answers at port {port} of {' and '.join([*others, *places])} alone; start it with "
            "host_names=NAME if it has another name, as behind a proxy or in a container."
        )


def host_names(host: str, more: Iterable[str] = ()) -> HostNames:
    """The names of a demo that listens at an address.

    Args:
        host: the address; one that stands for all of this machine takes its own names and every IP address.
        more: names by which it is called besides.
    """
    names = {*HERE, *more}
    if host in EVERYWHERE:
        names |= {socket.gethostname(), socket.getfqdn()}
    else:
        names.add(host)
    return HostNames(frozenset(name.lower() for name in names if name), any_address=host in EVERYWHERE)


def read_host_name(text: str) -> str:
    """A name as the header Host has it, in small letters.

    Raises:
        ValueError: it has more than a name, such as a port; the message is the rule.
    """
    name = text.lower()
    if NAME.fullmatch(name) is None and not _is_address(name):
        raise ValueError("must be names or addresses with commas between, without http://, port or *")
    return name


def _is_address(name: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return False

"""Whose requests count together, so that one visitor can't take all places of the demo."""

import ipaddress

__all__ = ["visitor_of"]


def visitor_of(address: str) -> str | None:
    """The visitor at an address; None = nobody in particular.

    From this machine's own address come all visitors behind a proxy or tunnel on it, so they share nothing.

    Args:
        address: the other end of a connection; "" where it is not known.
    """
    try:
        return None if ipaddress.ip_address(address).is_loopback else address
    except ValueError:  # as of a socket that is a file
        return None

"""Which addresses stand for one visitor."""

import pytest

from stvit_video.webdemo.visitor_address import visitor_of


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "2001:db8::1", "fe80::1%eth0"])
def test_an_address_of_the_network_is_a_visitor(address):
    assert visitor_of(address) == address


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "", "/run/demo.sock"])
def test_this_machine_stands_for_nobody_in_particular(address):
    assert visitor_of(address) is None

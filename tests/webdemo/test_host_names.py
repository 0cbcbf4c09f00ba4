"""Names that the demo takes, and those that a page elsewhere could have led here."""

import socket

import pytest

from stvit_video.webdemo.host_names import host_names

OTHERS = ("rebound.example", "127.0.0.1.example", "localhost.", "a.localhost", "127.1", "", ":80", "[", "[::1")
TRICKS = ("x@127.0.0.1", "127.0.0.1@rebound.example", "127.0.0.1/x", "127.0.0.1#", "127.0.0.1?x", "127.0.0.1\\x")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:7860", "LOCALHOST", "[::1]:9", "192.0.2.4:80"])
def test_its_own_names_are_taken(host):
    assert host_names("192.0.2.4").take(host)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::"])
@pytest.mark.parametrize("host", [*OTHERS, *TRICKS])
def test_others_are_not(address, host):
    assert not host_names(address).take(host)


def test_one_address_takes_no_other_one_and_all_of_the_machine_takes_each():
    assert not host_names("192.0.2.4").take("192.0.2.5")
    for address in ("0.0.0.0", "::"):
        names = host_names(address, more=["Demo.example"])
        for host in ("192.0.2.5:80", "[2001:db8::1]:80", socket.gethostname(), "demo.example"):
            assert names.take(host)


def test_the_sentence_says_where_it_answers():
    assert host_names("127.0.0.1").words(7860) == (
        "This demo answers at port 7860 of 127.0.0.1 and [::1] and localhost alone."
    )
    assert "any address of this machine" in host_names("::").words(80)

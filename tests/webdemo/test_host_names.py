"""Names that the demo takes, and those that a page elsewhere could have led here."""

import socket

import pytest

from stvit_video.webdemo.host_names import host_names, read_host_name

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
        "This demo answers at port 7860 of 127.0.0.1 and [::1] and localhost alone; start it with host_names=NAME "
        "if it has another name, as behind a proxy or in a container."
    )
    assert "any address of this machine" in host_names("::").words(80)


@pytest.mark.parametrize(
    ("text", "name"),
    [("GPUbox.lan", "gpubox.lan"), ("demo_1", "demo_1"), ("192.0.2.5", "192.0.2.5"), ("2001:DB8::1", "2001:db8::1")],
)
def test_a_name_that_is_given_is_taken_with_any_port(text, name):
    assert read_host_name(text) == name
    names = host_names("127.0.0.1", more=[read_host_name(text)])
    called = f"[{text}]" if ":" in text else text
    for host in (called, f"{called}:8443"):
        assert names.take(host)


@pytest.mark.parametrize(
    "text", ["", "a:80", "http://a", "a/b", "*.lan", "a b", "a.", "-a", "[::1]", "a@b", "bücher.lan"]
)
def test_what_is_more_or_less_than_a_name(text):
    with pytest.raises(ValueError, match="without http://, port"):
        read_host_name(text)

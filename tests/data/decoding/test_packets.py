"""Packets as facts: NAL lengths by hand, and each reason for distrust alone."""

import re
from dataclasses import replace

import pytest

from stvit_video.data.decoding.packets import (
    PacketFacts,
    distrust_reason,
    has_open_gop,
    is_unreferenced,
    nal_length_size,
    nal_types,
    packet_facts,
)

PLAIN = PacketFacts(
    pts=0,
    is_keyframe=False,
    is_entry=False,
    is_closed=False,
    is_discard=False,
    is_damaged=False,
    changes_settings=False,
)
KEY = replace(PLAIN, is_keyframe=True, is_entry=True, is_closed=True)
GOOD = (KEY, replace(PLAIN, pts=3), replace(PLAIN, pts=1), replace(PLAIN, pts=2))


def reason(packets, *, container="mov", codec="h264", reorders=True):
    return distrust_reason(packets, container=container, codec=codec, reorders=reorders)


class FakePacket(bytes):
    """Bytes with the attributes of an av.Packet."""

    pts, duration, is_keyframe, is_corrupt, is_discard = 7, 1, True, False, False
    size = property(len)

    def has_sidedata(self, name):
        return False


def test_nal_length_size_reads_both_boxes_and_declines_start_codes():
    assert nal_length_size("h264", b"\x01\x64\x00\x0a\xff") == 4
    assert nal_length_size("hevc", b"\x01" + bytes(20) + b"\xfd") == 2
    assert nal_length_size("h264", b"\x00\x00\x00\x01\x67") is None
    assert nal_length_size("vp9", b"\x01\x64\x00\x0a\xff") is None
    assert nal_length_size("h264", None) is None


def test_nal_types_by_hand():
    two_units = b"\x00\x00\x00\x02\x06\xaa" + b"\x00\x00\x00\x03\x65\xbb\xcc"
    assert nal_types(two_units, codec="h264", length_size=4) == [6, 5]
    assert nal_types(b"\x00\x02\x2a\x01", codec="hevc", length_size=2) == [21]
    assert nal_types(two_units[:-1], codec="h264", length_size=4) is None
    assert nal_types(b"\x00\x00\x00\x00\x65", codec="h264", length_size=4) is None


@pytest.mark.parametrize(
    ("data", "unreferenced"),
    [
        (b"\x00\x02\x01\x00", True),  # a slice with nal_ref_idc 0
        (b"\x00\x02\x06\x00\x00\x02\x01\x00\x00\x02\x01\x00", True),  # a message, two slices
        (b"\x00\x02\x01\x00\x00\x02\x21\x00", False),  # one of the slices is referred to
        (b"\x00\x02\x67\x00\x00\x02\x01\x00", False),  # brings settings along
        (b"\x00\x02\x65\x00", False),
        (b"\x00\x02\x06\x00", False),  # no slice
        (b"\x00\x09\x01\x00", False),  # broken length
        (b"", False),
    ],
)
def test_pictures_that_serve_no_other(data, unreferenced):
    assert is_unreferenced(FakePacket(data), codec="h264", length_size=2) == unreferenced
    assert not is_unreferenced(FakePacket(data), codec="hevc", length_size=2)
    assert not is_unreferenced(FakePacket(data), codec="h264", length_size=None)


@pytest.mark.parametrize(
    ("data", "codec", "entry", "closed", "damaged"),
    [
        (b"\x00\x02\x65\x00", "h264", True, True, False),  # IDR
        (b"\x00\x02\x41\x00", "h264", False, False, False),  # another slice, though flagged as keyframe
        (b"\x00\x02\x06\x00", "h264", False, False, True),  # no slice at all
        (b"\x00\x09\x65\x00", "h264", False, False, True),  # longer than the packet
        (b"\x00\x02\x2a\x01", "hevc", True, False, False),  # clean random access
        (b"\x00\x02\x28\x01", "hevc", True, True, False),  # IDR
        (b"", "h264", True, True, True),
    ],
)
def test_packet_facts(data, codec, entry, closed, damaged):
    facts = packet_facts(FakePacket(data), codec=codec, length_size=2)
    assert (facts.is_damaged, facts.pts, facts.is_keyframe) == (damaged, 7, True)
    if data:
        assert (facts.is_entry, facts.is_closed) == (entry, closed)


def test_start_code_packets_are_no_entries_and_other_codecs_keep_their_flag():
    assert not packet_facts(FakePacket(b"\x00\x00\x01\x65"), codec="h264", length_size=None).is_entry
    assert packet_facts(FakePacket(b"\x00"), codec="vp9", length_size=None).is_closed


def test_good_packets_are_trusted():
    assert reason(GOOD) == ""


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"pts": None}, "1 of its 4 packets .*no timestamp"),
        ({"pts": 1}, "1 of its 4 packets repeat "),
        ({"is_discard": True}, "1 of its 4 packets .*not to be shown"),
        # the whole sentence, once for its family
        ({"is_damaged": True}, "^1 of its 4 packets are damaged$"),
        ({"changes_settings": True}, "1 of its 4 packets change .*settings"),
        ({"pts": -5}, "first packet .*start from"),
    ],
)
def test_each_flaw_alone_is_a_reason(change, text):
    assert re.search(text, reason((*GOOD[:3], replace(GOOD[3], **change))))


def test_streams_as_a_whole_are_distrusted():
    assert re.search("'mpegts' container .*whole frames", reason(GOOD, container="mpegts"))
    assert re.search("codec 'vp8' .*displayed frames", reason(GOOD, codec="vp8"))
    assert re.search("AVI .*no display times", reason(GOOD, container="avi"))
    in_order = (KEY, *(replace(PLAIN, pts=pts) for pts in (1, 2, 3)))
    assert reason(in_order, container="avi", reorders=False) == ""
    assert re.search("timestamps run backwards", reason(GOOD, reorders=False))
    assert re.search("first packet .*start from", reason((PLAIN, *GOOD[1:])))


def test_open_gop_is_a_keyframe_without_closure_or_with_earlier_frames_behind_it():
    second_key = replace(KEY, pts=6)
    assert not has_open_gop((*GOOD, second_key, replace(PLAIN, pts=7)))
    assert has_open_gop((*GOOD, second_key, replace(PLAIN, pts=5)))
    assert has_open_gop((*GOOD, replace(second_key, is_closed=False)))


class StandIn(bytes):
    """A packet that is read like PyAV's; what it says of itself is set on it."""

    duration = 7


def test_side_data_with_new_settings_is_seen():
    packet = StandIn(b"abc")
    packet.pts, packet.size, packet.is_keyframe, packet.is_corrupt, packet.is_discard = 0, 3, True, False, False
    packet.has_sidedata = lambda name: name == "param_change"
    assert packet_facts(packet, codec="vp9", length_size=None).changes_settings

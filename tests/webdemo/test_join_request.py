"""What the page sends is taken as it is, and nothing else is: no file, no address, no key that says it twice."""

import json

import pytest

from stvit_video.webdemo.join_request import WORD, checked_join

EVENTS = {0: [(4, 32), (1, 6)], 3: [None, (4, 32)], 5: []}
GOOD = {"data": [16, 2.0], "event_data": {"token": "a-B_9"}, "fn_index": 0, "trigger_id": 3, "session_hash": "s1"}
FILE = {"path": "/dev/zero", "meta": {"_type": "gradio.FileData"}}


def changed(**values: object) -> bytes:
    return json.dumps({**GOOD, **values}).encode()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"data": [None, 6], "event_data": None, "trigger_id": None},
        {"data": [None, 4], "fn_index": 3},
        {"data": [], "fn_index": 5, "event_data": {"token": "T" * 64}},
    ],
)
def test_what_the_page_sends_is_said_again(values):
    asked = checked_join(changed(**values), EVENTS)
    assert json.loads(asked.body) == {**GOOD, **values}
    told = {**GOOD, **values}["event_data"]
    assert (asked.session, asked.token) == ("s1", None if told is None else told["token"])


def test_what_is_left_out_is_null():
    asked = checked_join(b'{"fn_index": 5, "data": [], "session_hash": "s"}', EVENTS)
    assert json.loads(asked.body) == {
        "data": [],
        "event_data": None,
        "fn_index": 5,
        "trigger_id": None,
        "session_hash": "s",
    }


@pytest.mark.parametrize("file", [FILE, {**FILE, "path": "/etc/passwd"}, {**FILE, "path": "http://192.0.2.1/x"}])
@pytest.mark.parametrize(
    "place",
    [
        lambda file: {"data": [file, 2]},
        lambda file: {"data": [[file], 2]},
        lambda file: {"data": file},
        lambda file: {"fn_index": 3, "data": [file, 16]},
        lambda file: {"event_data": file},
        lambda file: {"event_data": {"token": file}},
        lambda file: {"event_data": {"token": "a", "more": file}},
        lambda file: {"session_hash": file},
        lambda file: {"trigger_id": file},
        lambda file: {"fn_index": file},
        lambda file: {"batched": file},
    ],
)
def test_no_file_comes_through(file, place):
    with pytest.raises(ValueError, match=r"\.$"):
        checked_join(changed(**place(file)), EVENTS)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"data": [16]}, "list of 2 values"),
        ({"data": None}, "list of 2 values"),
        ({"data": ["16", 2]}, "number for a slider"),
        ({"data": [True, 2]}, "number for a slider"),
        ({"data": [33, 2]}, "4 to 32 for this slider"),
        ({"data": [-1, 2]}, "4 to 32"),
        ({"data": ["x", 16], "fn_index": 3}, "no slider"),
        ({"fn_index": 4}, "no such event"),
        ({"fn_index": -1}, "no such event"),
        ({"fn_index": "0"}, "no such event"),
        ({"fn_index": 0.0}, "no such event"),
        ({"fn_index": False}, "no such event"),
        ({"fn_index": [0]}, "no such event"),
        ({"fn_index": None}, "no such event"),
        ({"trigger_id": -1}, "trigger_id"),
        ({"trigger_id": 10**9}, "trigger_id"),
        ({"trigger_id": "3"}, "trigger_id"),
        ({"session_hash": None}, "session_hash"),
        ({"session_hash": ""}, "session_hash"),
        ({"session_hash": "a" * 65}, "session_hash"),
        ({"session_hash": "a/b"}, "session_hash"),
        ({"session_hash": "a\n"}, "session_hash"),
        ({"event_data": {"token": ""}}, "token is a word"),
        ({"event_data": {"token": "../x"}}, "token is a word"),
        ({"event_data": {"token": 3}}, "token is a word"),
        ({"event_data": []}, "token of a clip alone"),
        ({"event_data": {}}, "token of a clip alone"),
        ({"oauth_token": "x"}, "alone"),
        ({"simple_format": True}, "alone"),
    ],
)
def test_what_the_page_does_not_send(values, said):
    with pytest.raises(ValueError, match=said):
        checked_join(changed(**values), EVENTS)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b"3", b'"x"', b"\xff\xfe", b"[" * 60_000, b'{"data":' * 8_000),
        changed().replace(b"16", b"NaN"),
        changed().replace(b"16", b"Infinity"),
        changed().replace(b"16", b"1e999"),
        changed()[:-1] + b', "data": [{"path": "/etc/passwd"}, 2]}',
        b'{"data": [{"path": "/etc/passwd"}, 2], ' + changed()[1:],
        b"\xef\xbb\xbf" + changed(),
        changed() + b"{}",
    ],
)
def test_what_is_no_json_of_the_page(body):
    with pytest.raises(ValueError, match=r"The request is no JSON|of the page is an object|number for a slider"):
        checked_join(body, EVENTS)


def test_the_words_have_no_room_for_paths():
    assert WORD.fullmatch("aZ09_-")
    for sign in (".", "/", "\\", ":", "%", " ", "\u00e4", "\x00"):
        assert WORD.fullmatch(sign) is None

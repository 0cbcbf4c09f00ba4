"""PyAV alone: seeking and leaving out against decoding from the start, and errors that must not be swallowed."""

import re
from dataclasses import replace

import numpy as np
import pytest
from video_cases import both, made, real
from video_maker import CLOSED_GOP, OPEN_GOP, make_video, whole_file

from stvit_video.data.decoding import probe
from stvit_video.data.decoding.probe import probe_video
from stvit_video.data.decoding.pyav_backend import PyavReader
from stvit_video.data.decoding.request import DecodeError, DecodeRequest, DecodeTimeoutError


def opened(reader_class, path, *, seconds=10.0, **changes):
    source = DecodeRequest(str(path), reader_class.__name__, seconds)
    index = replace(probe_video(source, DecodeRequest("", "", 10.0).deadline()), **changes)
    return reader_class(source, index, source.deadline())


def opened_after_scan(path):
    source = DecodeRequest(str(path), "PyavReader", 10.0)
    scanned = probe.scan_video(source, source.deadline())
    return PyavReader(source, scanned.index, source.deadline(), scanned=scanned)


def read(reader, indices):
    return reader.read(indices, DecodeRequest("", "", 10.0).deadline())


ORDERS = ([34, 0, 34, 17], [9, 10, 11], [20, 19, 1], [3, 33], [12])


@pytest.mark.parametrize(
    ("name", "options"),
    [("closed.mp4", CLOSED_GOP), ("closed.mkv", CLOSED_GOP), ("open.mp4", OPEN_GOP), ("ts.ts", CLOSED_GOP)],
)
def test_pyav_in_any_order_equals_decoding_from_the_start(tmp_path, name, options):
    path = make_video(tmp_path / name, options=options)
    expected, reader = whole_file(path), opened(PyavReader, path)
    for order in ORDERS:
        np.testing.assert_array_equal(read(reader, order), expected[order])
    reader.close()


BFRAMES = "keyint=12:bframes=3:b-adapt=0:scenecut=0"
STRUCTURES = {
    "no pyramid": f"{BFRAMES}:b-pyramid=none",
    "strict pyramid": f"{BFRAMES}:b-pyramid=strict:ref=4",
    "normal pyramid, weighted": f"{BFRAMES}:b-pyramid=normal:weightb=1:weightp=2:ref=3",
    "slices": f"{BFRAMES}:slices=3",
    "headers again at every keyframe": f"{BFRAMES}:repeat-headers=1:aud=1",
    "intra refresh": "keyint=12:intra-refresh=1:bframes=0",
    "open GOP": f"{BFRAMES}:open-gop=1",
}


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_what_is_left_out_changes_nothing_else(tmp_path, structure, name):
    path = make_video(tmp_path / name, options={"x264-params": STRUCTURES[structure]})
    expected, chance = whole_file(path), np.random.default_rng(7)
    num_left_out = 0
    for source_of_packets in ("kept", "the file"):
        reader = opened_after_scan(path) if source_of_packets == "kept" else opened(PyavReader, path)
        for _ in range(12):
            order = chance.integers(0, 35, chance.integers(1, 9))
            np.testing.assert_array_equal(read(reader, order), expected[order])
            num_left_out += len(reader._left_out)
        assert reader._may_leave_out  # never had to start again without
        assert (reader._packets is None) == (source_of_packets == "the file")
        reader.close()
    assert (num_left_out > 0) == ("bframes=3" in STRUCTURES[structure])


def test_a_read_begins_where_the_scan_has_ended(tmp_path, monkeypatch):
    path = make_video(tmp_path / "clip.mp4")
    reader = opened_after_scan(path)
    monkeypatch.setattr(reader, "_start_at", lambda *given: pytest.fail("it started again"))
    np.testing.assert_array_equal(read(reader, [0, 2]), whole_file(path)[[0, 2]])
    assert reader._next == 3


def test_a_file_too_large_to_keep_is_read_again(tmp_path, monkeypatch):
    path = make_video(tmp_path / "clip.mp4")
    monkeypatch.setattr(probe, "MAX_KEPT_BYTES", path.stat().st_size // 2)
    scanned = probe.scan_video(DecodeRequest(str(path), "pyav", 10.0), DecodeRequest("", "", 10.0).deadline())
    assert scanned.packets is None
    reader = opened_after_scan(path)
    np.testing.assert_array_equal(read(reader, [31, 4]), whole_file(path)[[31, 4]])


def test_damage_after_something_was_left_out_is_made_good_from_the_start(tmp_path, monkeypatch):
    path = make_video(tmp_path / "clip.mp4", options={"x264-params": BFRAMES})
    reader = opened_after_scan(path)
    pull = reader._pull

    def damaged(deadline):
        frame = pull(deadline)
        if reader._left_out:
            raise reader._lost("it is damaged")
        return frame

    monkeypatch.setattr(reader, "_pull", damaged)
    np.testing.assert_array_equal(read(reader, [3, 9]), whole_file(path)[[3, 9]])
    assert not reader._left_out


def test_a_sorted_clip_is_one_seek_and_one_pass(tmp_path, monkeypatch):
    reader = opened(PyavReader, make_video(tmp_path / "clip.mp4"))
    pulled = []
    pull = reader._decode_one
    monkeypatch.setattr(reader, "_decode_one", lambda deadline: pulled.append(1) or pull(deadline))
    read(reader, [23, 25, 27])
    assert reader._next == 28
    assert 0 < len(reader._left_out) == 8 - len(pulled)  # of the frames 20 to 27
    del pulled[:]
    read(reader, [28, 29])
    assert len(pulled) == 2


def test_a_seek_that_fails_is_made_good_from_the_start(tmp_path):
    path = make_video(tmp_path / "open.mp4", options=OPEN_GOP)
    reader = opened(PyavReader, path, keyframes=(0, 7, 13))  # decoding can't start at 7 or 13
    np.testing.assert_array_equal(read(reader, [14, 20]), whole_file(path)[[14, 20]])


def test_an_index_that_promises_other_frames_is_an_error(tmp_path):
    path = make_video(tmp_path / "clip.mp4", num_frames=5)
    reader = opened(PyavReader, path, pts=(0, 512, 1024, 1536, 2048, 2560))
    assert read(reader, [4]).shape == (1, 70, 98, 3)
    # the whole sentence, once for its family
    whole = (
        rf"^can't decode {re.escape(repr(str(path)))} with backend 'PyavReader': frame 5 of 6 is lost "
        r"\(the file ends after 5 frames\)$"
    )
    with pytest.raises(DecodeError, match=whole):
        read(reader, [5])
    reader = opened(PyavReader, path, pts=(0, 512, 1000, 1536, 2048))
    with pytest.raises(DecodeError, match=r"frame 2 of 5 is lost \(.*\b1024 .*instead of 1000\b"):
        read(reader, [4])
    assert read(reader, [1]).shape == (1, 70, 98, 3)  # an error does not spoil what can be read


def test_a_seek_behind_the_last_frame_is_an_error(tmp_path):
    path = make_video(tmp_path / "clip.mp4", num_frames=5)
    reader = opened(PyavReader, path, pts=(0, 512, 1024, 1536, 2048, 90000, 90512), keyframes=(0, 5))
    with pytest.raises(DecodeError, match=r"frame 5 of 7 is lost \("):
        read(reader, [6])
    np.testing.assert_array_equal(read(reader, [3]), whole_file(path)[[3]])


@pytest.mark.parametrize(
    ("case", "lost"),
    [made("corrupted.mp4", "frame 13 of 35"), real("corrupted.mp4", "frame 28 of 50")],
    indirect=["case"],
)
def test_lost_packets_are_an_error_not_a_shorter_video(case, lost):
    with pytest.raises(DecodeError, match=rf"corrupted\.mp4.*{lost} is lost \(.*Invalid data"):
        opened(PyavReader, case.path)


@pytest.mark.parametrize("case", both("stream_copied_trim.mp4"), indirect=True)
def test_pyav_time_limit_while_decoding(case):
    source = DecodeRequest(str(case.path), "pyav", 10.0)
    index, over = probe_video(source, source.deadline()), replace(source, time_limit_seconds=1e-9).deadline()
    with pytest.raises(DecodeTimeoutError, match="decoding .*time limit of 10 s"):
        PyavReader(source, index, over)

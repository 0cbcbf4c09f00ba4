"""The file: read back to the last bit, written whole or not at all, refused when it is damaged or another one."""

import hashlib
import json
import os
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from stvit_video.evaluation.ledger import parquet
from stvit_video.evaluation.ledger.eval_ledger import Ledger, LedgerError, make_ledger
from stvit_video.evaluation.ledger.parquet import read_ledger, write_ledger


def assert_same(one: Ledger, two: Ledger) -> None:
    assert (one.info, one.video_ids, one.labels, one.missing) == (two.info, two.video_ids, two.labels, two.missing)
    assert one.result.errors == two.result.errors
    for name in ("view_logits", "labels", "indices", "clip_starts_seconds", "crops"):
        left, right = getattr(one.result, name), getattr(two.result, name)
        assert left.dtype == right.dtype
        assert torch.equal(left, right), name


@pytest.mark.parametrize("kind", ["ledger", "several_ledger"])
@pytest.mark.parametrize("videos_per_group", [1, 2, 512])
def test_what_is_written_is_read_back(kind, videos_per_group, request, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "VIDEOS_PER_GROUP", videos_per_group)
    ledger = request.getfixturevalue(kind)
    path = write_ledger(ledger, tmp_path / "new folder" / "ledger.parquet")
    assert_same(read_ledger(path, classes=ledger.info.classes), ledger)
    assert os.listdir(path.parent) == ["ledger.parquet"]
    first = path.read_bytes()
    write_ledger(ledger, path)
    assert path.read_bytes() == first


def test_rows_as_another_program_sees_them(ledger, tmp_path):
    rows = pq.read_table(write_ledger(ledger, tmp_path / "l.parquet")).to_pylist()
    assert len(rows) == 5 * 6 + 2
    assert [row["video_id"] for row in rows[5:8]] == ["my videos/a, b.mp4", "gone.mp4", "c.mp4#t=1,2.5"]
    assert rows[6] == {
        "video_id": "gone.mp4",
        "labels": [0],
        "clip_index": None,
        "crop_index": None,
        "start_seconds": None,
        "logits": None,
        "error": 'gone.mp4: "moov" is missing,\nso it ends early',
    }
    last = rows[-1]
    assert (last["video_id"], last["clip_index"], last["crop_index"], last["error"]) == ("g.mp4", 2, 1, None)
    assert np.array_equal(np.float32(last["logits"]), ledger.result.view_logits[4, 5].numpy())
    metadata = json.loads(pq.read_schema(tmp_path / "l.parquet").metadata[b"stvit_video.ledger"])
    assert (metadata["model"], metadata["commit"], metadata["num_videos"]) == ("stvit_video_deit_tiny", "abc123", 7)


def test_missing_videos_alone_make_a_ledger(result, info, tmp_path):
    nothing = replace(
        result,
        view_logits=torch.zeros(0, 0, 0),
        labels=torch.zeros(0, dtype=torch.int64),
        indices=torch.zeros(0, dtype=torch.int64),
        clip_starts_seconds=torch.zeros(0, 0),
        crops=torch.zeros(0, 0, dtype=torch.int64),
        errors={0: "bad", 1: "worse"},
    )
    ledger = make_ledger(nothing, video_ids=("a", "b"), labels=(0, 4), info=info)
    back = read_ledger(write_ledger(ledger, tmp_path / "l.parquet"))
    assert back.missing == (("a", "bad"), ("b", "worse"))
    assert back.result.num_used == 0


def test_each_single_damaged_byte_is_noticed_or_of_no_effect(ledger, tmp_path):
    path = write_ledger(ledger, tmp_path / "l.parquet")
    whole = path.read_bytes()
    noticed = 0
    positions = np.random.default_rng(0).choice(len(whole), size=150, replace=False)
    for position in positions.tolist():
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        try:
            back = read_ledger(path)
        except LedgerError:
            noticed += 1
        else:
            assert_same(back, ledger)
    assert noticed > 75  # the others are in parts of the footer that no reader needs


def test_cut_off_foreign_and_absent_files(ledger, tmp_path):
    path = write_ledger(ledger, tmp_path / "l.parquet")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(LedgerError, match="l.parquet .*no Parquet file"):
        read_ledger(path)
    with pytest.raises(LedgerError, match="no ledger .*none.parquet; .* outputs/evaluate/"):
        read_ledger(tmp_path / "none.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(LedgerError, match="other.parquet .*metadata lack 'stvit_video.ledger'"):
        read_ledger(tmp_path / "other.parquet")


def test_other_classes_are_named(ledger, tmp_path):
    path = write_ledger(ledger, tmp_path / "l.parquet")
    with pytest.raises(LedgerError, match="other classes: .*5, .*2$"):
        read_ledger(path, classes=("a", "b"))
    with pytest.raises(LedgerError, match="class 3 .*'sit', .*'stand'"):
        read_ledger(path, classes=("jump, high", "run", 'say "hi"', "stand", "walk"))
    other_form = [name.replace(" ", "\u00a0") for name in ledger.info.classes]
    assert read_ledger(path, classes=other_form).info == ledger.info
    with pytest.raises(LedgerError, match="class 3 .*'sit', .*'stand'"):
        read_ledger(path, classes=[*other_form[:3], "stand", "walk"])


KEY = b"stvit_video.ledger"


def rewrite(path, *, metadata=None, drop=None, good_digest=True):
    table = pq.read_table(path)
    said = json.loads(table.schema.metadata[KEY]) | (metadata or {})
    text = json.dumps(said).encode()
    digest = hashlib.sha256(text).hexdigest()
    table = table.replace_schema_metadata({KEY: text, KEY + b".sha256": digest if good_digest else digest[::-1]})
    pq.write_table(table if drop is None else table.drop_columns([drop]), path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"metadata": {"format": 2}},  # the whole sentence, once for its family
            "^the metadata of .*l.parquet can't be used: its format is 2, this version reads 1; evaluate again$",
        ),
        ({"metadata": {"classes": 5}}, "metadata of .*l.parquet .*not iterable"),
        ({"metadata": {"nonsense": 5}}, "metadata of .*l.parquet .*nonsense"),
        ({"metadata": {"num_videos": 8}}, "l.parquet .*lists 8 videos .*rows of 7"),
        ({"good_digest": False}, "metadata of .*l.parquet .*checksum"),
        ({"drop": "crop_index"}, "l.parquet .*column crop_index .*int32, .*absent"),
    ],
)
def test_metadata_and_columns_are_checked(ledger, tmp_path, changes, message):
    path = write_ledger(ledger, tmp_path / "l.parquet")
    rewrite(path, **changes)
    with pytest.raises(LedgerError, match=message):
        read_ledger(path)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(ledger, tmp_path, monkeypatch):
    path = write_ledger(ledger, tmp_path / "l.parquet")
    old = path.read_bytes()

    def full_disk(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet, "columns_of", full_disk)
    with pytest.raises(LedgerError, match="l.parquet .*written .*No space left on device"):
        write_ledger(ledger, path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["l.parquet"]
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="l.parquet .*written"):
        write_ledger(ledger, tmp_path / "file" / "l.parquet")

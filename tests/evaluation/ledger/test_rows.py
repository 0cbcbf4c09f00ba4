"""Rows in any order make the same ledger; rows that contradict one another make none."""

from pathlib import Path

import pyarrow as pa
import pytest
import torch

from stvit_video.evaluation.ledger.eval_ledger import LedgerError
from stvit_video.evaluation.ledger.rows import columns_of, ledger_from_tables, row_schema

SOURCE = Path("my.parquet")


def rows_of(ledger) -> list[dict]:
    return pa.table(columns_of(ledger, 0, 7, pa=pa), schema=row_schema(pa)).to_pylist()


def read(rows, info, num_videos=7):
    table = pa.Table.from_pylist(rows, schema=row_schema(pa))
    return ledger_from_tables([table], info=info, num_videos=num_videos, source=SOURCE)


def test_parts_of_the_list_together_are_the_whole(ledger):
    whole = pa.table(columns_of(ledger, 0, 7, pa=pa), schema=row_schema(pa))
    parts = [
        pa.table(columns_of(ledger, a, b, pa=pa), schema=row_schema(pa)) for a, b in ((0, 2), (2, 2), (2, 5), (5, 7))
    ]
    assert pa.concat_tables(parts).equals(whole)
    back = ledger_from_tables(iter(parts), info=ledger.info, num_videos=7, source=SOURCE)
    assert torch.equal(back.result.view_logits, ledger.result.view_logits)


def test_views_may_come_in_any_order(ledger):
    rows = rows_of(ledger)
    videos = dict.fromkeys(row["video_id"] for row in rows)
    shuffled = [row for video_id in videos for row in reversed([row for row in rows if row["video_id"] == video_id])]
    assert shuffled != rows
    back = read(shuffled, ledger.info)
    assert torch.equal(back.result.view_logits, ledger.result.view_logits)
    assert torch.equal(back.result.clip_starts_seconds, ledger.result.clip_starts_seconds)
    assert back.video_ids == ledger.video_ids


ROW, GONE = 8, 6  # a view of c.mp4#t=1,2.5 (clip 0, crop 1); the row of gone.mp4


@pytest.mark.parametrize(
    ("row", "changes", "message"),
    [
        (ROW, {"crop_index": 0}, "my.parquet .*c.mp4#t=1,2.5 .*clip 0, crop 0 twice"),
        (
            ROW,
            {"clip_index": 3},  # the whole sentence, once for its family
            "my.parquet is not usable: c.mp4#t=1,2.5 has logits of clip 3, crop 1; "
            "the protocol has 3 clips x 2 crops, counted from 0$",
        ),
        (ROW, {"crop_index": None}, "c.mp4.* clip 0, crop None;"),
        (ROW, {"logits": [1.0, 2.0]}, "2 logits for 5 classes"),
        (ROW, {"logits": [1.0, 2.0, 3.0, float("nan"), 5.0]}, "logit .*missing, NaN or infinite"),
        (ROW, {"logits": [1.0, 2.0, 3.0, None, 5.0]}, "logit .*missing, NaN or infinite"),
        (ROW, {"logits": None}, "c.mp4.* needs logits .*or one row with an error"),
        (ROW, {"error": "late"}, "c.mp4.* logits or an error, not both"),
        (ROW, {"labels": [1]}, r"c.mp4.* labels \[2\] .*\[1\] in another"),
        (ROW, {"video_id": "gone.mp4", "labels": [0]}, "gone.mp4.* logits or an error, not both"),
        (GONE, {"error": None}, "gone.mp4 needs logits .*or one row with an error"),
        (GONE, {"labels": [9]}, r"gone.mp4 .*labels \[9\]; .*0\.\.4 once"),
        (GONE, {"video_id": "é.mp4", "labels": [3]}, "é.mp4 needs logits .*or one row with an error"),
    ],
)
def test_a_row_that_can_not_be_is_refused(ledger, row, changes, message):
    rows = rows_of(ledger)
    rows[row] |= changes
    with pytest.raises(LedgerError, match=message):
        read(rows, ledger.info)


def test_a_view_or_a_video_that_is_missing_is_refused(ledger):
    rows = rows_of(ledger)
    with pytest.raises(LedgerError, match="c.mp4.* 5 of 6 views; clip 0, crop 1"):
        read(rows[:ROW] + rows[ROW + 1 :], ledger.info)
    with pytest.raises(LedgerError, match="lists 7 videos .*rows of 6"):
        read(rows[:GONE] + rows[GONE + 1 :], ledger.info)

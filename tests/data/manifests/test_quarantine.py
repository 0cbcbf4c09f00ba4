"""The quarantine list: written, read, edited by hand, and honoured by file and by segment."""

import logging
import re
from pathlib import Path

import pytest

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.manifests.quarantine import (
    Quarantined,
    drop_quarantined,
    quarantine_reasons,
    read_quarantine,
    write_quarantine,
)


def manifest_in(folder: Path) -> Manifest:
    records = (
        VideoRecord(folder / "a, b.mp4", 0, "a, b.mp4"),
        VideoRecord(folder / "c.mp4", 1, "c.mp4#t=1,2.5", 1.0, 2.5),
        VideoRecord(folder / "c.mp4", 1, "c.mp4#t=30", 30.0, None),
        VideoRecord(folder / "d.mp4", 0, "d.mp4"),
    )
    return Manifest(records, ("run", "sit"))


def test_what_is_written_is_left_out(tmp_path, caplog):
    manifest = manifest_in(tmp_path)
    entries = [
        Quarantined(str(tmp_path / "a, b.mp4"), "it is empty"),
        Quarantined(str(tmp_path / "c.mp4"), "it begins behind the end", 30.0),
    ]
    write_quarantine(tmp_path / "q.csv", entries)
    assert read_quarantine(tmp_path / "q.csv") == tuple(entries)
    with caplog.at_level(logging.WARNING):
        kept = drop_quarantined(manifest, tmp_path / "q.csv")
    assert [record.video_id for record in kept.records] == ["c.mp4#t=1,2.5", "d.mp4"]
    assert kept.classes == manifest.classes
    assert "q.csv: 2 of 4 listed videos" in caplog.text
    reasons = quarantine_reasons(manifest, entries)
    assert [(record.video_id, reason) for record, reason in reasons.items()] == [
        ("a, b.mp4", "it is empty"),
        ("c.mp4#t=30", "it begins behind the end"),
    ]


def test_a_list_made_by_hand_with_relative_paths(tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "q.csv").write_text("path\n../c.mp4\n../elsewhere.mp4\n")
    kept = drop_quarantined(manifest_in(tmp_path), tmp_path / "lists" / "q.csv")
    assert [record.video_id for record in kept.records] == ["a, b.mp4", "d.mp4"]
    entry = Quarantined(str(tmp_path / "d.mp4"), "")
    assert list(quarantine_reasons(manifest_in(tmp_path), [entry]).values()) == ["it is in quarantine"]


def test_an_empty_list_changes_nothing(tmp_path, caplog):
    write_quarantine(tmp_path / "q.csv", [])
    manifest = manifest_in(tmp_path)
    assert drop_quarantined(manifest, tmp_path / "q.csv") == manifest
    assert caplog.text == ""


def test_faults_are_said(tmp_path):
    with pytest.raises(ManifestError, match=r"no manifest .*gone\.csv;"):
        drop_quarantined(manifest_in(tmp_path), tmp_path / "gone.csv")
    (tmp_path / "q.csv").write_text("path,start_seconds\na.mp4,soon\n")
    with pytest.raises(ManifestError, match="line 2: start_seconds='soon' .*no number"):
        read_quarantine(tmp_path / "q.csv")
    (tmp_path / "q.csv").write_text('path\n"a, b.mp4"\nc.mp4\nd.mp4\n')
    # the whole sentence, once for its family
    whole = r"q\.csv names all 4 listed videos, so nothing is left; mend the files and scan again, or correct the list$"
    with pytest.raises(ManifestError, match=whole):
        drop_quarantined(manifest_in(tmp_path), tmp_path / "q.csv")


def test_videos_in_shards_here_and_at_an_address(tmp_path):
    records = tuple(
        VideoRecord(tmp_path / "a.tar", 0, f"{address}{name}", member=name, byte_range=(512, 9), address=address)
        for address in ("", "s3://bucket/a.tar")
        for name in ("x.mp4", "y.mp4")
    )
    entries = [Quarantined("s3://bucket/a.tar: x.mp4", "cut short"), Quarantined(f"{tmp_path}/a.tar: y.mp4", "empty")]
    write_quarantine(tmp_path / "bad.csv", entries)
    assert read_quarantine(tmp_path / "bad.csv") == tuple(entries)
    (tmp_path / "bad.csv").write_text("path,reason\ns3://bucket/a.tar: x.mp4,cut short\na.tar: y.mp4,empty\n")
    found = quarantine_reasons(Manifest(records, ("run",)), read_quarantine(tmp_path / "bad.csv"))
    assert found == {records[2]: "cut short", records[1]: "empty"}


def test_a_list_that_names_none_of_the_videos_is_said(tmp_path, caplog):
    (tmp_path / "q.csv").write_text("path,reason\nelsewhere/v.mp4,broken\n")
    manifest = manifest_in(tmp_path)
    assert drop_quarantined(manifest, tmp_path / "q.csv") == manifest
    assert re.search(r"q\.csv.* 1 files, .*\bnone of the listed videos\b", caplog.text)


def test_paths_in_another_form_are_the_same_files(tmp_path):
    (tmp_path / "x").mkdir()
    on_disk = tmp_path / "x" / "e\u0301.mp4"
    on_disk.touch()
    manifest = Manifest(
        (VideoRecord(on_disk, 0, "x/\u00e9.mp4"), VideoRecord(tmp_path / "x" / "\u00f6.mp4", 0, "o")), ("run",)
    )
    (tmp_path / "q.csv").write_text("path\nx\\\u00e9.mp4\nx/o\u0308.mp4\n", encoding="utf-8")
    assert set(quarantine_reasons(manifest, read_quarantine(tmp_path / "q.csv"))) == set(manifest.records)

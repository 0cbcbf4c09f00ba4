"""Result files: which are accepted, who may write them, and that nothing of others is written over."""

from pathlib import Path

import numpy as np
import pytest
from made_predictions import MADE_WITH, prediction_of, videos_of

from stvit_video.predictions.growing_table import text_so_far
from stvit_video.predictions.journal import Journal
from stvit_video.predictions.result_files import Targets

VIDEOS = videos_of("a.mp4", "broken.mp4", "c.mp4")


def journal_of(targets, *numbers):
    journal = Journal.create(targets.journal, MADE_WITH, VIDEOS)
    for number in numbers:
        journal.append(number, prediction_of(VIDEOS[number].path))
    return journal


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({}, "out= or features="),
        ({"out": Path("a.txt")}, r"out=a.txt must end in \.csv, \.jsonl or \.parquet"),
        ({"out": Path("a")}, "out=a must end"),
        ({"features": Path("a.npy")}, r"features=a.npy must end in \.npz"),
        ({"out": Path("a.csv"), "features": Path("./a.csv")}, "same file"),
        ({"out": Path("folder.csv")}, "folder.csv is a folder"),
    ],
)
def test_files_that_can_not_be(files, rule, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValueError, match=rule):
        Targets(**files)


def test_the_journal_is_beside_the_labels_or_the_features():
    assert Targets(Path("o/a.csv"), Path("f/b.npz")).journal == Path("o/a.csv.journal")
    assert Targets(features=Path("f/b.npz")).journal == Path("f/b.npz.journal")


def test_one_process_at_a_time_for_each_file(tmp_path):
    first = Targets(tmp_path / "new" / "a.csv", tmp_path / "f.npz")
    with first.locked():
        for other, name in ((Targets(first.out), "out="), (Targets(tmp_path / "b.csv", first.features), "features=")):
            with pytest.raises(ValueError, match=f"another process is at work on .*{name}"), other.locked():
                pass
    with first.locked():
        pass


def test_a_folder_that_can_not_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "a.csv"
    for targets, name in ((Targets(below), "out"), (Targets(features=below), "features")):
        with pytest.raises(ValueError, match=rf"folder .*file can't be made or written .*{name}="), targets.locked():
            pass


def test_a_file_without_a_journal_is_left_alone(tmp_path):
    targets = Targets(tmp_path / "a.csv", tmp_path / "f.npz")
    targets.check_new()
    for path, setting in ((targets.features, "features="), (targets.out, "out=")):
        path.touch()
        with pytest.raises(ValueError, match=rf"{path.name} is there already.*{setting}"):
            targets.check_new()
        path.unlink()


@pytest.mark.parametrize("out", ["a.csv", "a.jsonl", "a.parquet"])
def test_what_was_written_is_complete_and_ours(tmp_path, out):
    targets = Targets(tmp_path / out, tmp_path / "f.npz")
    journal = journal_of(targets, 2, 0)
    assert not targets.are_complete(journal)
    journal.append(1, prediction_of(VIDEOS[1].path))
    assert not targets.are_complete(journal)
    targets.write(journal)
    journal.close()
    again = Journal.read(targets.journal)
    assert targets.are_complete(again)
    targets.check_ours(again)
    with np.load(targets.features) as found:
        assert found["paths"].tolist() == ["a.mp4", "broken.mp4", "c.mp4"]
    for path in targets.paths:
        content = path.read_bytes()
        path.write_bytes(content + b"x" if path.suffix == ".parquet" else b"x" + content[1:])
        with pytest.raises(ValueError, match=rf"{path.name} is not as it was written from {out}.journal; .*move it"):
            targets.check_ours(again)
        path.write_bytes(content)


def test_a_text_that_grew_until_a_kill_or_a_power_cut_is_ours(tmp_path):
    targets = Targets(tmp_path / "a.csv")
    longer = journal_of(targets, 0, 2)
    ahead = text_so_far(targets.out, targets.table(longer), longer)
    journal = journal_of(targets, 0)
    behind = text_so_far(targets.out, targets.table(journal), journal)
    assert len(behind) < len(ahead)
    for content in (b"", behind[:-3], behind, ahead, ahead[:-5] + b"\0" * 40):
        targets.out.write_bytes(content)
        targets.check_ours(journal)
    for content in (behind.replace(b"a.mp4", b"b.mp4"), b"path,label\nmine,run\n"):
        targets.out.write_bytes(content)
        with pytest.raises(ValueError, match="a.csv is not as it was written"):
            targets.check_ours(journal)


def test_the_separator_and_the_segments_reach_the_table(tmp_path):
    targets = Targets(tmp_path / "a.csv", separator=";")
    journal = Journal.create(targets.journal, {"top_k": None}, [VIDEOS[0], VIDEOS[1]._replace(end_seconds=2.0)])
    table = targets.table(journal)
    assert (table.separator, table.num_labels, table.has_segments) == (";", None, True)

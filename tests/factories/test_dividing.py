import re

import pytest
from list_maker import touch

from stvit_video.data.layouts.class_folders import read_folder_manifest
from stvit_video.data.layouts.undivided import Undivided
from stvit_video.data.manifests.kept_split import KeptSplit
from stvit_video.factories import dividing
from stvit_video.factories.dividing import divided


def undivided(folder, by="group", part="train"):
    return Undivided(part, folder, read_folder_manifest, None, fraction=0.3, by=by)


def names_of(manifest):
    return [record.video_id for record in manifest.records]


@pytest.fixture
def folder(tmp_path):
    touch(tmp_path, *(f"{label}/{number}.mp4" for label in ("run", "jump") for number in range(12)))
    return tmp_path


def test_alike_videos_stay_together_and_the_line_says_so(folder, monkeypatch, capsys):
    asked = []

    def find(manifest, *, num_workers):
        asked.append(num_workers)
        run = [at for at, record in enumerate(manifest.records) if record.video_id.startswith("run")]
        return [(run[0], other) for other in run[1:7]], 2

    monkeypatch.setattr(dividing, "find_alike", find)
    train, val = divided(undivided(folder), num_workers=0)
    assert asked == [1]
    alike = {f"run/{number}.mp4" for number in (0, 1, 10, 11, 2, 3, 4)}  # sorted as texts
    assert alike <= set(names_of(train)) or alike <= set(names_of(val))
    [line] = capsys.readouterr().out.splitlines()
    assert f"{folder}: split: {len(train.records)} train, {len(val.records)} val" in line
    assert line.endswith(
        "; 7 videos look like another of their class and stay together; 2 could not be read to compare them"
    )


def test_by_name_nothing_is_read(folder, monkeypatch, capsys):
    monkeypatch.setattr(dividing, "find_alike", lambda *_, **__: pytest.fail("it was called"))
    train, val = divided(undivided(folder, by="name"), num_workers=3)
    assert val == undivided(folder, by="name", part="val")()
    assert len(train.records) + len(val.records) == 24
    assert "by name" in capsys.readouterr().out


def test_above_the_limit_names_alone_count_and_the_line_says_so(folder, monkeypatch, capsys):
    monkeypatch.setattr(dividing, "find_alike", lambda *_, **__: pytest.fail("it was called"))
    monkeypatch.setattr(dividing, "MAX_COMPARED", 23)
    divided(undivided(folder), num_workers=1)
    assert "more than 23 videos" in capsys.readouterr().out


def test_kept_parts_are_taken_as_they_are(folder, capsys):
    kept = KeptSplit(("run/3.mp4", "jump/gone.mp4"), ("run/1.mp4",))
    train, val = divided(undivided(folder), num_workers=1, kept=kept)
    assert (names_of(train), names_of(val)) == (["run/3.mp4", "jump/gone.mp4"], ["run/1.mp4"])
    assert train.classes == val.classes == ("jump", "run")
    line = capsys.readouterr().out
    assert re.search(r"22 videos were added .*\(first: jump/0.mp4\) .*run=", line)


def test_all_that_is_kept_says_nothing(folder, capsys):
    whole = [f"{label}/{number}.mp4" for label in ("run", "jump") for number in range(12)]
    divided(undivided(folder), num_workers=1, kept=KeptSplit(tuple(whole[3:]), tuple(whole[:3])))
    assert not capsys.readouterr().out


def test_videos_of_two_classes_that_look_alike_are_told(folder, monkeypatch, capsys):
    monkeypatch.setattr(dividing, "find_alike", lambda manifest, **_: ([(0, 15)], 0))
    divided(undivided(folder), num_workers=1)
    line = capsys.readouterr().out
    assert re.search(r"2 videos look like one of another class, such as jump/0.mp4 and run/11.mp4", line)
    assert "of their class" not in line

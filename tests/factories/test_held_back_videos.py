"""A folder without parts: what training, doctor and evaluation take of it."""

import pytest
from list_maker import touch

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.kept_split import KeptSplit
from stvit_video.data.manifests.quarantine import Quarantined, write_quarantine
from stvit_video.factories.manifests import build_evaluated, build_manifests, build_parts, names_held_back


@pytest.fixture
def undivided(tmp_path):
    touch(tmp_path, *(f"{label}/{number}.mp4" for label in ("run", "jump") for number in range(10)))
    return {"source": "folder", "root": str(tmp_path), "split_by": "name", "num_workers": 0, "val_fraction": 0.3}


def names_of(manifest):
    return [record.video_id for record in manifest.records]


def test_an_undivided_folder_gives_both_parts(undivided, capsys):
    train, val = build_manifests(undivided)
    assert {*names_of(train), *names_of(val)} == {f"{c}/{n}.mp4" for c in ("run", "jump") for n in range(10)}
    assert f"split: {len(train.records)} train, {len(val.records)} val" in capsys.readouterr().out
    assert build_parts(undivided, ["val"]) == {"val": val}
    assert build_parts(undivided, ["train", "val"]) == {"train": train, "val": val}
    assert names_held_back(undivided, val) == names_of(val)
    kept = KeptSplit(("jump/1.mp4", "run/1.mp4"), ("jump/2.mp4",))
    assert [names_of(part) for part in build_manifests(undivided, kept=kept)] == [list(part) for part in kept]


def test_an_evaluation_takes_the_videos_that_were_held_back_and_no_other(undivided, tmp_path):
    train, val = build_manifests(undivided)
    touch(tmp_path, *(f"run/more{number}.mp4" for number in range(30)))
    gone = tmp_path / names_of(val)[0]
    gone.unlink()
    evaluated = build_evaluated(undivided, classes=train.classes, held_back=names_of(val))
    assert evaluated == val
    with pytest.raises(ManifestError, match=r"no folder of validation videos; .*data\.source out .*data\.val=/"):
        build_evaluated(undivided, classes=train.classes)
    touch(tmp_path, "train/run/a.mp4", "val/run/0.mp4")
    del undivided["split_by"], undivided["val_fraction"]
    with pytest.raises(ManifestError, match=rf"held {len(val.records)} videos of .* back, .*data\.source=folder"):
        build_evaluated(undivided, classes=train.classes, held_back=names_of(val))
    assert names_of(build_evaluated(undivided, classes=train.classes)) == ["run/0.mp4"]
    assert names_held_back(undivided, val) is None


def test_quarantined_videos_of_an_undivided_folder_move_no_other(undivided, tmp_path):
    train, val = build_manifests(undivided)
    table = tmp_path / "bad.csv"
    write_quarantine(table, [Quarantined(path=str(train.records[0].path), reason="cut short")])
    less, same = build_manifests(undivided | {"quarantine": str(table)})
    assert less.records == train.records[1:]
    assert same == val

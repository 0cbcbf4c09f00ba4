import re
from pathlib import Path

import pytest

from stvit_video.data.layouts.hmdb51 import read_hmdb51_manifest
from stvit_video.data.manifests.faults import ManifestError


def make_tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


HMDB51 = {
    "brush_hair": "April_09_brush_hair_u_nm_np1_ba_goo_0.avi 1 \r\n(HQ)_a#2_brush_hair_h_cm.avi 2 \r\nlate.avi 0 \r\n",
    "cartwheel": "Acrobacias_(1).avi 2 \nTurn_3.avi 1 \nTurn_4.avi 1 \n",
}


def hmdb51_tree(root: Path, texts=HMDB51, *, split=1) -> dict:
    lists = root / "testTrainMulti_7030_splits"
    lists.mkdir(exist_ok=True)
    for label, text in texts.items():
        make_tree(root / "hmdb51_org", *(f"{label}/{row.split()[0]}" for row in text.splitlines() if row))
        (lists / f"{label}_test_split{split}.txt").write_text(text, newline="")
    return {"list_dir": lists, "video_dir": root / "hmdb51_org"}


def test_hmdb51_official_split(tmp_path):
    places = hmdb51_tree(tmp_path, split=2)
    hmdb51_tree(tmp_path, {"brush_hair": "late.avi 1\n"}, split=1)  # another split, not to be read
    train = read_hmdb51_manifest(**places, part="train", split=2)
    val = read_hmdb51_manifest(**places, part="val", split=2)
    assert train.classes == val.classes == ("brush_hair", "cartwheel")
    assert [(Path(record.video_id).name, record.label) for record in train.records] == [
        ("April_09_brush_hair_u_nm_np1_ba_goo_0.avi", 0),
        ("Turn_3.avi", 1),
        ("Turn_4.avi", 1),
    ]
    assert [record.video_id for record in val.records] == [
        "brush_hair/(HQ)_a#2_brush_hair_h_cm.avi",
        "cartwheel/Acrobacias_(1).avi",
    ]


def test_hmdb51_faulty_rows_are_named_with_their_file(tmp_path):
    text = "a.avi 1\nb.avi 3\n\na.avi 2\nc.avi\n"
    places = hmdb51_tree(tmp_path, HMDB51 | {"chew": text})
    with pytest.raises(ManifestError) as caught:
        read_hmdb51_manifest(**places, part="train")
    expected = [
        rf"^{re.escape(str(places['list_dir']))} .*\b3 fault",
        r"^  chew_test_split1\.txt, line 2: 'b\.avi 3' .*\b0, 1 or 2\b",
        r"^  chew_test_split1\.txt, line 4: a\.avi .*already .*line 1\b",
        r"^  chew_test_split1\.txt, line 5: 'c\.avi' .*\b0, 1 or 2\b",
    ]
    for line, words in zip(str(caught.value).splitlines(), expected, strict=True):
        assert re.search(words, line)


def test_hmdb51_missing_videos(tmp_path, caplog):
    places = hmdb51_tree(tmp_path)
    (places["video_dir"] / "cartwheel" / "Turn_4.avi").unlink()
    with pytest.raises(ManifestError, match=r"no video .*cartwheel/Turn_4\.avi;"):
        read_hmdb51_manifest(**places, part="train")
    assert len(read_hmdb51_manifest(**places, part="train", missing="drop").records) == 2
    assert len(caplog.messages) == 1
    kept = read_hmdb51_manifest(**places, part="train", missing="keep")
    assert kept.records[-1].video_id == "cartwheel/Turn_4.avi"

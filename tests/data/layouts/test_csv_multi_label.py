"""Lists with several labels a row: what they mean, which faults they have, and what their items and batches are."""

import re
from pathlib import Path

import pytest
import torch

from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL, Manifest, VideoRecord, check_classes
from stvit_video.data.manifests.quarantine import Quarantined, drop_quarantined, write_quarantine

STEMS = "abcdefg"


def listed(folder: Path, *rows: str, name: str = "list.csv", **settings) -> Manifest:
    for stem in STEMS:
        (folder / f"{stem}.mp4").touch()
    (folder / name).write_text("\n".join(["path,label", *rows]) + "\n", encoding="utf-8")
    return read_csv_manifest(folder / name, **{"label_separator": "|"} | settings)


def test_labels_are_split_numbered_and_sorted(tmp_path):
    manifest = listed(tmp_path, "a.mp4,run | jump", "b.mp4,", "c.mp4, jump", 'd.mp4,"tall, red|run|jump"')
    assert manifest.multi_label
    assert manifest.classes == ("jump", "run", "tall, red")
    assert [record.labels for record in manifest.records] == [(0, 1), (), (0,), (0, 1, 2)]
    assert {record.label for record in manifest.records} == {NO_SINGLE_LABEL}
    assert manifest.label_names(manifest.records[3]) == ("jump", "run", "tall, red")
    with pytest.raises(IndexError):
        manifest.classes[manifest.records[0].label]


def test_without_a_separator_a_field_is_one_label(tmp_path):
    manifest = listed(tmp_path, "a.mp4,run|jump", "b.mp4,run", label_separator=None)
    assert not manifest.multi_label
    assert manifest.classes == ("run", "run|jump")
    assert [(record.label, record.labels) for record in manifest.records] == [(1, (1,)), (0, (0,))]
    with pytest.raises(ManifestError, match=r"line 2: .*label .*a\.mp4 .*empty"):
        listed(tmp_path, "a.mp4,", label_separator=None)


@pytest.mark.parametrize(("separator", "field"), [(";", "x;y"), ("::", "x::y"), (",", '"x,y"'), (" / ", "x / y")])
def test_any_text_can_separate(tmp_path, separator, field):
    assert listed(tmp_path, f"a.mp4,{field}", label_separator=separator).classes == ("x", "y")


@pytest.mark.parametrize("separator", ["", "  ", 3])
def test_a_blank_separator_is_refused(tmp_path, separator):
    with pytest.raises(ValueError, match=f"label_separator={separator!r} .*not blank"):
        listed(tmp_path, "a.mp4,x", label_separator=separator)


def test_all_faults_come_in_one_error(tmp_path):
    with pytest.raises(ManifestError) as caught:
        listed(
            tmp_path, "a.mp4,x||y", "b.mp4,y|x|y", "c.mp4,x|z", "a.mp4,y", "gone.mp4,x|", classes=("x", "y", "w", "v")
        )
    expected = [
        r"line 2: 'x\|\|y' .*empty label .*'\|'",
        r"line 3: 'y\|x\|y' .*'y' 2 times",
        r"line 4: .*label 'z'; .*4 .*classes are x, y, w, \.\.\.$",
        r"line 5: a\.mp4 .*already .*line 2; .*all labels",
        rf"line 6: .*no file {re.escape(str(tmp_path / 'gone.mp4'))};",
        "and 1 more$",
    ]
    for line, words in zip(str(caught.value).splitlines()[1:], expected, strict=True):
        assert re.search(f"^  {words}", line)


def test_a_list_without_any_label_is_refused(tmp_path):
    with pytest.raises(ManifestError, match=r"\b2 videos has a label\b"):
        listed(tmp_path, "a.mp4,", "b.mp4, ")


def test_training_and_validation_must_fit(tmp_path):
    train = listed(tmp_path, "a.mp4,x|y", "b.mp4,z")
    same = {"classes": train.classes, "name": "val.csv"}
    check_classes(train, listed(tmp_path, "c.mp4,z|x", "d.mp4,", **same))
    with pytest.raises(ManifestError, match=r"1 class\(es\) .*no training video: 'y'"):
        check_classes(
            listed(tmp_path, "a.mp4,x", "b.mp4,", classes=("x", "y")), listed(tmp_path, "c.mp4,x|y", name="v.csv")
        )
    with pytest.raises(ManifestError, match=r"\b2 validation videos has a label\b"):
        check_classes(train, listed(tmp_path, "c.mp4,", "d.mp4,", **same))
    for one, other in ((None, "|"), ("|", None)):
        message = f"the {'training' if one else 'validation'} list is multi-label .*label_separator"
        with pytest.raises(ManifestError, match=message):
            check_classes(
                listed(tmp_path, "a.mp4,x", "b.mp4,y", label_separator=one),
                listed(tmp_path, "c.mp4,x", classes=("x", "y"), name="v.csv", label_separator=other),
            )


def test_columns_choose_rows_and_quarantine_keeps_the_kind(tmp_path):
    for stem in STEMS:
        (tmp_path / f"{stem}.mp4").touch()
    rows = ["path,label,fold", "a.mp4,x|y,0", "b.mp4,,1", "c.mp4,y,1"]
    (tmp_path / "folds.csv").write_text("\n".join(rows) + "\n")
    manifest = read_csv_manifest(tmp_path / "folds.csv", label_separator="|", keep={"fold": (1,)}, classes=("x", "y"))
    assert [record.labels for record in manifest.records] == [(), (1,)]
    write_quarantine(tmp_path / "q.csv", [Quarantined(str(tmp_path / "b.mp4"), "it is empty")])
    kept = drop_quarantined(manifest, tmp_path / "q.csv")
    assert kept.multi_label
    assert [record.video_id for record in kept.records] == ["c.mp4"]


@pytest.mark.parametrize(
    ("label", "labels", "message"),
    [
        (1, (0,), r"\blabel=1 .*labels=\(0,\);"),
        # the whole sentence, once for its family
        (NO_SINGLE_LABEL, (2, 0), r"^labels=\(2, 0\) must be sorted, each of them once$"),
        (NO_SINGLE_LABEL, (2, 2), r"labels=\(2, 2\) .* once"),
    ],
)
def test_records_do_not_contradict_themselves(label, labels, message):
    with pytest.raises(ValueError, match=message):
        VideoRecord(Path("x.mp4"), label, "x.mp4", labels=labels)
    assert VideoRecord(Path("x.mp4"), 2, "x.mp4").labels == (2,)


def test_nothing_takes_the_missing_single_label_for_a_class():
    label = torch.tensor([NO_SINGLE_LABEL])
    with pytest.raises(IndexError, match="out of bounds"):
        torch.nn.functional.cross_entropy(torch.zeros(1, 5), label)


def test_a_separator_that_no_label_holds_is_said(tmp_path, caplog):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "list.csv").write_text("path,label\na.mp4,run|jump\n")
    manifest = read_csv_manifest(tmp_path / "list.csv", label_separator=";")
    assert manifest.classes == ("run|jump",)
    assert "no label holds ';'" in caplog.text

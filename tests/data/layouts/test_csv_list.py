import csv
import logging
import re
from collections import Counter

import pytest
from list_maker import touch, write_csv
from real_data import real_file

from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import check_classes


def test_csv_paths_start_from_its_folder_or_from_root_or_are_absolute(tmp_path):
    touch(tmp_path, "lists/a, b c.mp4", "videos/ü.mp4", "lists/sub/ü.mp4")
    (tmp_path / "lists").mkdir(exist_ok=True)
    here = write_csv(tmp_path / "lists", '\ufeffpath,label,fold\n"a, b c.mp4",up,1\nsub/ü.mp4, down ,2\n')
    manifest = read_csv_manifest(here)
    assert manifest.classes == ("down", "up")
    assert [record.label for record in manifest.records] == [1, 0]
    assert [record.path for record in manifest.records] == [
        tmp_path / "lists" / "a, b c.mp4",
        tmp_path / "lists" / "sub" / "ü.mp4",
    ]
    assert [record.video_id for record in manifest.records] == ["a, b c.mp4", "sub/ü.mp4"]
    absolute = tmp_path / "lists" / "a, b c.mp4"
    there = write_csv(tmp_path, f'path,label\nü.mp4,up\n"{absolute}",up\n')
    records = read_csv_manifest(there, root=tmp_path / "videos").records
    assert [record.path for record in records] == [tmp_path / "videos" / "ü.mp4", absolute]


def test_segments_of_one_file_have_ids_of_their_own(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4")
    path = write_csv(
        tmp_path,
        "path,label,start_seconds,end_seconds\na.mp4,x,0,2.5\na.mp4,y,2.5,\na.mp4,x,,\nb.mp4,y,,7\na.mp4,x,0,2\n",
    )
    records = read_csv_manifest(path).records
    ids = ["a.mp4#t=0,2.5", "a.mp4#t=2.5", "a.mp4", "b.mp4#t=,7", "a.mp4#t=0,2"]
    assert [record.video_id for record in records] == ids
    assert (records[0].start_seconds, records[0].end_seconds) == (0.0, 2.5)
    assert (records[1].start_seconds, records[1].end_seconds) == (2.5, None)


def test_numeric_labels_are_numbered_by_value(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4", "c.mp4")
    path = write_csv(tmp_path, "path,label\na.mp4,10\nb.mp4,9\nc.mp4,0\n")
    assert read_csv_manifest(path).classes == ("0", "9", "10")


def test_split_keep_and_drop_choose_rows(tmp_path):
    touch(tmp_path, *(f"{n}.mp4" for n in range(6)))
    lines = [f"{n}.mp4,{'xy'[n % 2]},{'train' if n < 4 else 'val'},{n % 3}" for n in range(6)]
    path = write_csv(tmp_path, "\n".join(["path,label,split,fold", *lines, "gone.mp4,x,test,3"]))

    def ids(**settings):
        return [record.path.stem for record in read_csv_manifest(path, **settings).records]

    assert ids(split="train") == ["0", "1", "2", "3"]
    assert ids(split="val") == ["4", "5"]
    assert ids(split="train", keep={"fold": (0, 2)}) == ["0", "2", "3"]
    assert ids(split="train", drop={"fold": ("0",)}) == ["1", "2"]
    with pytest.raises(ManifestError, match=r"no row .*split = valid; .*: test, train, val$"):
        ids(split="valid")


def test_all_faults_come_in_one_error_in_the_order_of_the_lines(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4")
    path = write_csv(
        tmp_path,
        "path,label,start_seconds,end_seconds\n"
        "a.mp4,x,,\n"
        "gone.mp4,x,,\n"
        "b.mp4,z,1,\n"
        "b.mp4,,2,\n"
        "b.mp4,x,nought,\n"
        "b.mp4,x,5,4\n"
        "./a.mp4,x,,\n"
        ",x,,\n",
    )
    with pytest.raises(ManifestError) as caught:
        read_csv_manifest(path, classes=("x", "y"))
    lines = str(caught.value).split("\n  ")
    # the whole sentence, once for its family
    assert lines[0] == f"{path} is not usable, 7 fault(s):"
    assert lines[1] == (
        f"line 3: there is no file {tmp_path / 'gone.mp4'}; correct the path, or give the folder of the videos as "
        "root=FOLDER"
    )
    assert re.search("^line 4: .*label 'z'; .*2 .*classes are x, y$", lines[2])
    assert re.search(r"^line 5: .*label .*b\.mp4 .*empty", lines[3])
    assert re.search("^line 6: start_seconds='nought' .*no number", lines[4])
    assert re.search("^line 7: .*segment .*5 s .*4 s", lines[5])
    assert lines[6:] == ["and 2 more"]


def test_doubles_and_empty_paths_and_empty_lists_are_faults(tmp_path):
    touch(tmp_path, "a.mp4")
    path = write_csv(tmp_path, "path,label\na.mp4,x\n./a.mp4,y\n ,x\n")
    with pytest.raises(ManifestError) as caught:
        read_csv_manifest(path)
    assert re.search(r"line 3: \./a\.mp4 .*already .*line 2\b", str(caught.value))
    assert re.search("line 4: .*path is empty", str(caught.value))
    with pytest.raises(ManifestError, match=r"1 fault\(s\):\n  it lists no video\b"):
        read_csv_manifest(write_csv(tmp_path, "path,label\n"))
    with pytest.raises(ManifestError, match="^classes .*'x' more than once"):
        read_csv_manifest(path, classes=("x", "y", "x"))


def test_blanks_around_a_path_are_taken_off_unless_the_file_has_them(tmp_path):
    touch(tmp_path, "a.mp4", " b.mp4", "b.mp4")
    path = write_csv(tmp_path, "Path, Label\na.mp4 , x\n b.mp4,y \n b.mp4 ,y\n")
    records = read_csv_manifest(path).records
    assert [record.video_id for record in records] == ["a.mp4", " b.mp4", "b.mp4"]
    assert [record.path.name for record in records] == ["a.mp4", " b.mp4", "b.mp4"]
    assert [record.label for record in records] == [0, 1, 1]


def test_no_video_is_a_fault_only_where_there_is_no_other(tmp_path):
    rows = "".join(f"a,{n}.mp4,x\n" for n in range(18))
    path = write_csv(tmp_path, "path,label\n" + rows)
    for settings in ({}, {"split": "train"}):
        with pytest.raises(ManifestError, match=r"18 fault\(s\):\n  line 2: not 2 fields") as caught:
            read_csv_manifest(path, **settings)
        assert "lists no video" not in str(caught.value)


def test_labels_that_differ_in_capitals_only_are_warned_of(tmp_path, caplog):
    touch(tmp_path, *"abcde")
    path = write_csv(tmp_path, "path,label\na,pan_left\nb,Pan_left\nc, pan_left \nd,tilt\ne,Tilt\n")
    with caplog.at_level(logging.WARNING):
        manifest = read_csv_manifest(path)
        read_csv_manifest(path, classes=manifest.classes)
    assert manifest.classes == ("Pan_left", "Tilt", "pan_left", "tilt")
    [message] = [record.getMessage() for record in caplog.records]
    # the whole sentence, once for its family
    assert message == (
        f"{path}: these labels differ in capitals only and count as several classes: "
        "'Pan_left' and 'pan_left'; 'Tilt' and 'tilt'"
    )


@pytest.mark.real_data
def test_the_lists_of_photo_motion():
    photo = read_csv_manifest(real_file("data", "photo_motion", "train.csv"))
    assert (len(photo.records), len(photo.classes)) == (2400, 12)
    for record in photo.records:
        assert record.path.parent.name == photo.classes[record.label]
    check_classes(photo, read_csv_manifest(real_file("data", "photo_motion", "test.csv"), classes=photo.classes))


@pytest.fixture(params=["made", pytest.param("real", marks=pytest.mark.real_data)])
def labels(request, tmp_path):
    """A list with a column fold: 11 videos in 3 folds, or the real 300 in 5."""
    if request.param == "real":
        return real_file("data", "surveillance_fight", "labels.csv")
    names = [f"{'fight' if number % 2 else 'calm'}/{number:02d}.mp4" for number in range(11)]
    touch(tmp_path, *names)
    rows = [f"{name},{name.split('/')[0]},{number // 2 % 3}" for number, name in enumerate(names)]
    return write_csv(tmp_path, "\n".join(["path,label,fold", *rows]) + "\n")


def test_folds_part_a_list(labels):
    with labels.open(newline="") as file:
        folds = Counter(row["fold"] for row in csv.DictReader(file))
    assert (folds.total(), len(folds)) in ((11, 3), (300, 5))
    for fold, count in folds.items():
        train, test = (
            read_csv_manifest(labels, drop={"fold": [fold]}),
            read_csv_manifest(labels, keep={"fold": [fold]}),
        )
        assert (len(test.records), len(train.records)) == (count, folds.total() - count)
        assert not {record.path for record in train.records} & {record.path for record in test.records}

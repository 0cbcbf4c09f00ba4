"""Labels and file names in another form of the same text, in every layout: one class, and the file that is there."""

import json
import unicodedata
import zipfile

import pytest
from list_maker import touch, write_csv
from real_data import real_file
from tar_maker import write_tar

from stvit_video.data.layouts.class_folders import read_folder_manifest
from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.layouts.hmdb51 import read_hmdb51_manifest
from stvit_video.data.layouts.image_folder import read_image_manifest
from stvit_video.data.layouts.kinetics import read_kinetics_manifest
from stvit_video.data.layouts.pytorchvideo import read_pytorchvideo_manifest
from stvit_video.data.layouts.something_something import read_something_manifest
from stvit_video.data.layouts.tar_shards import read_shard_manifest
from stvit_video.data.layouts.ucf101 import read_ucf101_manifest
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.factories.manifests import build_manifests

NFD = unicodedata.normalize("NFD", "école")


def nfd(text):
    return unicodedata.normalize("NFD", text)


def seen(manifest):
    """Classes, and of each video the file and its label."""
    return manifest.classes, [(record.path.name, record.label) for record in manifest.records]


def test_csv_with_paths_and_labels_in_any_form(tmp_path, caplog):
    touch(tmp_path, nfd("vidéos/fête.mp4"), "b.mp4", "x/c.mp4")
    path = write_csv(tmp_path, f"path,label\nvidéos/fête.mp4,école\nb.mp4,{NFD}\nx\\c.mp4,a\u00a0b\nx/../b.mp4,a b\n")
    with pytest.raises(ManifestError, match=r"line 5: x/\.\./b\.mp4 is listed already in line 3"):
        read_csv_manifest(path)
    path = write_csv(tmp_path, f"path,label\nvidéos/fête.mp4,école\nb.mp4,{NFD}\nx\\c.mp4,a\u00a0b\n")
    caplog.clear()
    manifest = read_csv_manifest(path)
    assert seen(manifest) == (("a b", "école"), [(nfd("fête.mp4"), 1), ("b.mp4", 1), ("c.mp4", 0)])
    assert all(record.path.is_file() for record in manifest.records)
    assert [record.video_id for record in manifest.records] == ["vidéos/fête.mp4", "b.mp4", "x\\c.mp4"]
    assert len(caplog.messages) == 2


def test_the_same_file_in_two_forms_is_listed_twice(tmp_path):
    touch(tmp_path, nfd("é.mp4"))
    with pytest.raises(ManifestError, match="line 3: .* listed already in line 2"):
        read_csv_manifest(write_csv(tmp_path, f"path,label\né.mp4,x\n{nfd('é.mp4')},x\n"))


def test_windows_drives_are_told_for_each_row(tmp_path):
    with pytest.raises(ManifestError) as caught:
        read_csv_manifest(write_csv(tmp_path, "path,label\nC:\\data\\b.mp4,x\nD:/videos/c.mp4,y\n"))
    assert "2 fault(s)" in str(caught.value)
    assert str(caught.value).count("Windows") == 2


def test_a_long_field_is_read(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4")
    text = f'path,label,caption\na.mp4,x,{"a" * 140_000}\nb.mp4,"y","{"b, " * 60_000}"\n'
    assert read_csv_manifest(write_csv(tmp_path, text)).classes == ("x", "y")
    with pytest.raises(ManifestError, match="line 2: a double quote opens"):
        read_csv_manifest(write_csv(tmp_path, text.replace("000,x,", "").replace("a.mp4,x", 'a.mp4,"x')))
    with pytest.raises(ManifestError, match=r"line 2: there is no file .*x\.\.\. \(\d+ characters\); correct"):
        read_csv_manifest(write_csv(tmp_path, f"path,label\n{'x' * 140_000},y\n"))


def test_class_folders_in_two_forms_hold_one_class(tmp_path):
    touch(tmp_path, "école/a.mp4", f"{NFD}/b.mp4", "a\u00a0b/c.mp4", "a b/d.mp4")
    classes, found = seen(read_folder_manifest(tmp_path))
    assert classes == ("a b", "école")
    assert sorted(found) == [("a.mp4", 1), ("b.mp4", 1), ("c.mp4", 0), ("d.mp4", 0)]


@pytest.mark.parametrize("is_archive", [False, True])
def test_folders_of_pictures(tmp_path, is_archive):
    names = ("t/école/a.png", f"t/{NFD}/b.png", "t/x/c.png")
    touch(tmp_path, *names)
    if is_archive:
        with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
            for name in names:
                archive.writestr(name, b"1")
    manifest = read_image_manifest(tmp_path / ("t.zip" if is_archive else "t"))
    assert (manifest.classes, sorted(record.label for record in manifest.records)) == (("x", "école"), [0, 1, 1])


def test_kinetics(tmp_path):
    touch(tmp_path, f"{NFD}/aaa_000001_000002.mts", "a_b/bbb.mp4", f"x/{nfd('é')}.mp4")
    rows = "école,aaa,1,2,val\na\u00a0b,bbb,1,2,val\nx,é,1,2,val\n"
    path = write_csv(tmp_path, "label,youtube_id,time_start,time_end,split\n" + rows)
    manifest = read_kinetics_manifest(path, video_dir=tmp_path)
    assert seen(manifest) == (
        ("a b", "x", "école"),
        [("aaa_000001_000002.mts", 2), ("bbb.mp4", 0), (nfd("é.mp4"), 1)],
    )


def test_absent_videos_whose_ending_is_unknown_are_told(tmp_path):
    touch(tmp_path, "aaa.xyz")
    path = write_csv(tmp_path, "label,youtube_id,time_start,time_end,split\nx,aaa,1,2,val\n")
    with pytest.raises(ManifestError, match=r"no video .*aaa_000001_000002\.mp4; get it"):
        read_kinetics_manifest(path, video_dir=tmp_path)
    touch(tmp_path, "aaa_000001_000002.xyz")
    with pytest.raises(ManifestError, match=r"no video .*\(aaa_000001_000002\.xyz is there, and its ending is none"):
        read_kinetics_manifest(path, video_dir=tmp_path)


def test_ucf101_with_lists_of_another_system(tmp_path):
    lists, videos = tmp_path / "lists", tmp_path / "videos"
    touch(videos, f"{NFD}/v_Ecole_g01_c01.m2ts", "Run/v_Run_g02_c01.avi")
    touch(lists, "x")
    (lists / "classInd.txt").write_text("1 école\n2 Run\n", encoding="utf-8")
    (lists / "trainlist01.txt").write_text("école\\v_Ecole_g01_c01.avi 1\r\nRun\\v_Run_g02_c01.avi 2\r\n", "utf-8")
    (lists / "testlist01.txt").write_text("Run/v_Run_g03_c01.avi\n")
    manifest = read_ucf101_manifest(lists, video_dir=videos, part="train")
    assert seen(manifest) == (("école", "Run"), [("v_Ecole_g01_c01.m2ts", 0), ("v_Run_g02_c01.avi", 1)])
    (lists / "classInd.txt").write_text(f"1 école\n2 Run\n3 {NFD}\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="names the class .* again"):
        read_ucf101_manifest(lists, video_dir=videos, part="train")


def test_hmdb51(tmp_path):
    lists, videos = tmp_path / "lists", tmp_path / "videos"
    touch(videos, f"école/{nfd('été')}.avi", "run/b.avi")
    touch(lists, "x")
    (lists / f"{NFD}_test_split1.txt").write_text("été.avi 1\n", encoding="utf-8")
    (lists / "run_test_split1.txt").write_text("b.avi 1\n", encoding="utf-8")
    manifest = read_hmdb51_manifest(lists, video_dir=videos, part="train")
    assert manifest.classes == ("run", "école")
    assert sorted(seen(manifest)[1]) == [("b.avi", 0), (nfd("été.avi"), 1)]


def test_something_something(tmp_path):
    touch(tmp_path, "1.webm", "2.webm")
    (tmp_path / "labels.json").write_text(json.dumps({f"Showing {NFD}": "0", "Moving x": "1"}))
    templates = ("Showing [école]", "Moving\u00a0[x]")
    entries = [{"id": n, "template": template} for n, template in enumerate(templates, 1)]
    (tmp_path / "train.json").write_text(json.dumps(entries))
    manifest = read_something_manifest(tmp_path / "train.json", labels=tmp_path / "labels.json", video_dir=tmp_path)
    assert seen(manifest) == (("Showing école", "Moving x"), [("1.webm", 0), ("2.webm", 1)])


def test_shards(tmp_path):
    members = {"a.mts": b"1", "a.json": {"label": "école"}, "b.MXF": b"2", "b.json": {"label": NFD}}
    members |= {"c.mp4": b"3", "c.json": {"label": "x"}}
    write_tar(tmp_path / "000.tar", members)
    manifest = read_shard_manifest(str(tmp_path))
    assert (manifest.classes, [record.label for record in manifest.records]) == (("x", "école"), [1, 1, 0])
    (tmp_path / "classes.txt").write_text(f"x\nécole\n{NFD}\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"(?s)classes\.txt .*names the class .* again"):
        read_shard_manifest(str(tmp_path))
    write_tar(tmp_path / "other" / "000.tar", {"a.xyz": b"1", "a.json": {"label": "x"}})
    with pytest.raises(ManifestError, match=r"sample a holds no video \(a\.xyz has no known ending of one\)"):
        read_shard_manifest(str(tmp_path / "other"))


def test_shards_that_a_mac_has_renamed_are_there(tmp_path):
    write_tar(tmp_path / "é.tar", {"a.mp4": b"1", "a.json": {"label": "x"}})
    read_shard_manifest(str(tmp_path))
    (tmp_path / "é.tar").rename(tmp_path / nfd("é.tar"))
    assert len(read_shard_manifest(str(tmp_path)).records) == 1


def test_pytorchvideo(tmp_path, caplog):
    touch(tmp_path, nfd("é.mp4"), "x/b.mp4")
    (tmp_path / "list.txt").write_text("é.mp4 1\nx\\b.mp4 2\n", encoding="utf-8")
    manifest = read_pytorchvideo_manifest(tmp_path / "list.txt", prefix=tmp_path)
    assert seen(manifest) == (("1", "2"), [(nfd("é.mp4"), 0), ("b.mp4", 1)])
    assert "2 files" in caplog.text


def test_both_parts_number_the_same_classes(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4", "c.mp4", "d.mp4")
    (tmp_path / "train.csv").write_text("path,label\na.mp4,école\nb.mp4,x y\n", encoding="utf-8")
    (tmp_path / "val.csv").write_text(f"path,label\nc.mp4,{NFD}\nd.mp4,x\u00a0y\n", encoding="utf-8")
    data = {"source": "csv", "train": str(tmp_path / "train.csv"), "val": str(tmp_path / "val.csv")}
    train, val = build_manifests(data)
    assert train.classes == val.classes == ("x y", "école")
    assert [record.label for record in train.records] == [record.label for record in val.records] == [1, 0]


# --- data/field_cases ---


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "classes", "labels"),
    [
        ("names/nbsp.csv", ("a", "a b", "c"), [0, 0, 1, 1, 2]),
        ("names/long.csv", ("x", "y"), [0, 1]),
        ("nfd/mixed.csv", ("école",), [0, 0]),
        ("nfd/train.csv", ("autre", "école"), [1, 0]),
        ("nfd/train2.csv", ("autre", "école"), [1, 0]),
        ("nfd/val2.csv", ("autre", "école"), [1, 0]),
        ("win/back.csv", ("x", "y"), [0, 1]),
    ],
)
def test_lists_of_the_field(name, classes, labels):
    path = real_file("data", "field_cases", *name.split("/"))
    manifest = read_csv_manifest(path)
    assert (manifest.classes, [record.label for record in manifest.records]) == (classes, labels)
    assert all(record.path.is_file() for record in manifest.records)


@pytest.mark.real_data
def test_windows_list_of_the_field():
    with pytest.raises(ManifestError, match=r"(?s)C:\\data\\videos\\b\.mp4: .*Windows.*D:/videos/c\.mp4: .*Windows"):
        read_csv_manifest(real_file("data", "field_cases", "win", "abs.csv"))


@pytest.mark.real_data
def test_avchd_of_the_field():
    manifest = read_folder_manifest(real_file("data", "field_cases", "mts", "train"))
    assert seen(manifest) == (("run",), [("00001.MTS", 0), ("00002.MTS", 0)])

import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.manifests.quarantine import Quarantined, write_quarantine
from stvit_video.factories.manifests import absolute_paths, build_frame_reader, build_manifest, build_manifests
from stvit_video.settings.paths import CONF_DIR


def write_list(path: Path, rows: str) -> str:
    path.write_text("path,label,fold\n" + rows)
    for line in rows.splitlines():
        (path.parent / line.split(",")[0]).touch()
    return str(path)


def test_csv_with_two_files(tmp_path):
    train = write_list(tmp_path / "train.csv", "a.mp4,walk,0\nb.mp4,run,1\n")
    val = write_list(tmp_path / "val.csv", "c.mp4,walk,0\n")
    train_manifest, val_manifest = build_manifests({"source": "csv", "train": train, "val": val})
    assert train_manifest.classes == val_manifest.classes == ("run", "walk")
    assert [record.label for record in val_manifest.records] == [1]


def test_csv_with_folds(tmp_path):
    rows = "a.mp4,walk,0\nb.mp4,run,1\nc.mp4,walk,1\nd.mp4,run,0\n"
    data = {"source": "csv", "train": write_list(tmp_path / "all.csv", rows), "fold_column": "fold", "fold": 1}
    train_manifest, val_manifest = build_manifests(data)
    assert [record.video_id for record in train_manifest.records] == ["a.mp4", "d.mp4"]
    assert [record.video_id for record in val_manifest.records] == ["b.mp4", "c.mp4"]


def test_quarantined_videos_are_left_out_of_training_alone(tmp_path):
    (tmp_path / "videos.csv").write_text("path,label\na.mp4,x\nb.mp4,y\nc.mp4,x\n")
    for name in "abc":
        (tmp_path / f"{name}.mp4").touch()
    write_quarantine(tmp_path / "bad.csv", [Quarantined(path=str(tmp_path / "a.mp4"), reason="cut short")])
    data = {"source": "csv", "root": str(tmp_path), "train": "videos.csv", "val": "videos.csv", "quarantine": "bad.csv"}
    train, val = build_manifests(data)
    assert [record.path.name for record in train.records] == ["b.mp4", "c.mp4"]
    assert len(val.records) == 3


def test_fold_without_column(tmp_path):
    with pytest.raises(ValueError, match="data.fold_column and data.fold .*both"):
        build_manifest({"source": "csv", "train": "x.csv", "fold": 1}, "train")


def test_fold_with_a_validation_list():
    data = {"source": "csv", "train": "x.csv", "val": "y.csv", "fold_column": "fold", "fold": 0}
    with pytest.raises(ValueError, match=r"^data.fold .*data.train; .*data.val"):
        build_manifest(data, "train")


def test_one_class_is_too_few(tmp_path):
    train = write_list(tmp_path / "train.csv", "a.mp4,walk,0\nb.mp4,walk,0\n")
    with pytest.raises(ValueError, match="training list .*one class, 'walk'; .*two"):
        build_manifests({"source": "csv", "train": train, "val": train})


def test_relative_lists_start_in_the_working_directory_or_in_root(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "here").mkdir()
    write_list(tmp_path / "data" / "train.csv", "a.mp4,walk,0\nb.mp4,run,1\n")
    write_list(tmp_path / "data" / "val.csv", "a.mp4,walk,0\n")
    write_list(tmp_path / "here" / "val.csv", "b.mp4,run,1\n")
    monkeypatch.chdir(tmp_path / "here")
    data = {"source": "csv", "root": "../data", "train": "train.csv", "val": "val.csv"}
    train_manifest, val_manifest = build_manifests(data)
    assert len(train_manifest.records) == 2
    assert [record.video_id for record in val_manifest.records] == ["b.mp4"]  # the list of the working directory
    monkeypatch.chdir(tmp_path)
    assert [record.video_id for record in build_manifest(data | {"root": "data"}, "val").records] == ["a.mp4"]


@pytest.mark.parametrize(
    ("data", "part", "key", "name"),
    [
        ({"source": "csv", "val": "no.csv"}, "val", "val", "no.csv"),
        ({"source": "csv", "train": "no.csv", "fold_column": "fold", "fold": 0}, "val", "train", "no.csv"),
        ({"source": "folder", "train": "no"}, "train", "train", "no"),
        ({"source": "kinetics", "root": ".", "val": "no.csv"}, "val", "val", "no.csv"),
        ({"source": "kinetics", "root": ".", "val_videos": "no"}, "val", "val_videos", "no"),
    ],
)
def test_absent_lists_are_named_with_their_absolute_path(tmp_path, monkeypatch, data, part, key, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError) as caught:
        build_manifest(data, part)
    assert str(caught.value) == (  # the whole sentence, once for its family
        f"data.{key}: there is no {tmp_path / name}; correct the path "
        f"(a relative one starts in the working directory, {tmp_path}, or in data.root)"
    )


def test_absolute_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").touch()
    data = {"root": "data", "train": "train.csv", "val": "no.csv", "val_videos": None, "fold": 3}
    expected = {
        "root": str(tmp_path / "data"),
        "train": str(tmp_path / "data" / "train.csv"),
        "val": str(tmp_path / "no.csv"),
        "val_videos": None,
        "fold": 3,
    }
    assert absolute_paths(data) == absolute_paths(expected) == expected
    assert data["root"] == "data"  # what was given stays as it was
    assert absolute_paths({"root": None, "train": "~/a.csv"}) == {
        "root": None,
        "train": str(tmp_path / "home" / "a.csv"),
    }


def test_folder(tmp_path):
    for part in ("train", "val"):
        for label in ("jump", "walk"):
            (tmp_path / part / label).mkdir(parents=True)
            (tmp_path / part / label / "a b.mp4").touch()
    train_manifest, val_manifest = build_manifests({"source": "folder", "root": str(tmp_path)})
    assert train_manifest.classes == ("jump", "walk")
    assert len(val_manifest.records) == 2


def test_kinetics(tmp_path):
    for part, youtube_id in (("train", "abcdefghijk"), ("val", "-bcdefghij_")):
        (tmp_path / part).mkdir()
        (tmp_path / part / f"{youtube_id}_000003_000013.mp4").touch()
        (tmp_path / part / "zzzzzzzzzzz_000000_000010.mp4").touch()
        (tmp_path / f"{part}.csv").write_text(
            f"label,youtube_id,time_start,time_end,split\nplaying chess,{youtube_id},3,13,{part}\n"
            f"yoga,zzzzzzzzzzz,0,10,{part}\n"
        )
    _, val_manifest = build_manifests({"source": "kinetics", "root": str(tmp_path)})
    assert val_manifest.records[0].path.name == "-bcdefghij__000003_000013.mp4"


def test_class_that_only_val_has(tmp_path):
    train = write_list(tmp_path / "train.csv", "a.mp4,walk,0\nb.mp4,run,0\n")
    val = write_list(tmp_path / "val.csv", "c.mp4,swim,0\n")
    with pytest.raises(ManifestError, match="swim"):
        build_manifests({"source": "csv", "train": train, "val": val})


@pytest.mark.parametrize(
    ("data", "part", "message"),
    [
        ({"source": "tar"}, "train", "data.source='tar' .*csv, .*folder, hmdb51, "),
        ({"source": "csv"}, "test", 'part=\'test\' .*"train" or "val"'),
        ({"source": "csv"}, "val", "data.source=csv needs data.val;"),
        ({"source": "folder"}, "val", "data.source=folder needs data.root;"),
    ],
)
def test_settings_that_lack_something(data, part, message):
    with pytest.raises(ValueError, match=message):
        build_manifest(data, part)


def ucf101_root(root: Path) -> Path:
    for name in ("Archery/v_Archery_g08_c01.avi", "Bowling/v_Bowling_g02_c01.avi", "Archery/v_Archery_g01_c01.avi"):
        (root / "UCF-101" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "UCF-101" / name).touch()
    lists = root / "ucfTrainTestlist"
    lists.mkdir()
    (lists / "classInd.txt").write_text("1 Archery\n2 Bowling\n")
    (lists / "trainlist02.txt").write_text("Archery/v_Archery_g08_c01.avi 1\nBowling/v_Bowling_g02_c01.avi 2\n")
    (lists / "testlist02.txt").write_text("Archery/v_Archery_g01_c01.avi\n")
    return root


def test_ucf101(tmp_path):
    data = {"source": "ucf101", "root": str(ucf101_root(tmp_path)), "split": 2}
    train, val = build_manifests(data)
    assert [len(train.records), len(val.records)] == [2, 1]
    with pytest.raises(ManifestError, match=r"trainlist03.txt; .*split files"):
        build_manifests(data | {"split": 3})
    with pytest.raises(ValueError, match="^data.val is for data=csv, .*source=ucf101, which takes root, .*lists"):
        build_manifest(data | {"val": "my.csv"}, "val")


def test_places_of_lists_and_videos_can_be_given(tmp_path, monkeypatch):
    ucf101_root(tmp_path)
    (tmp_path / "UCF-101").rename(tmp_path / "clips")
    data = {"source": "ucf101", "root": str(tmp_path), "split": 2}
    with pytest.raises(ManifestError, match=r"UCF-101; .*data.root, .*data.videos$"):
        build_manifest(data, "train")
    assert build_manifest(data | {"videos": "clips"}, "train").records[0].path.is_file()  # in data.root
    monkeypatch.chdir(tmp_path)
    moved = {"source": "ucf101", "split": 2, "videos": "clips", "lists": "ucfTrainTestlist"}
    assert build_manifest(moved, "val").records[0].path.is_file()  # in the working directory


def test_hmdb51(tmp_path):
    for name in ("chew/a.avi", "chew/b.avi", "wave/c.avi"):
        (tmp_path / "hmdb51_org" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "hmdb51_org" / name).touch()
    (tmp_path / "testTrainMulti_7030_splits").mkdir()
    for label, text in (("chew", "a.avi 1 \nb.avi 2 \n"), ("wave", "c.avi 1 \n")):
        (tmp_path / "testTrainMulti_7030_splits" / f"{label}_test_split1.txt").write_text(text)
    train, val = build_manifests({"source": "hmdb51", "root": str(tmp_path)})
    assert [record.video_id for record in train.records] == ["chew/a.avi", "wave/c.avi"]
    assert [record.video_id for record in val.records] == ["chew/b.avi"]


@pytest.mark.parametrize("prefix", ["something-something-v2-", ""])
def test_something_something_v2_under_the_names_of_both_releases(tmp_path, prefix):
    (tmp_path / "20bn-something-something-v2").mkdir()
    for number in (3, 5, 7):
        (tmp_path / "20bn-something-something-v2" / f"{number}.webm").touch()
    texts = {
        "labels": '{"Closing something": "0", "Opening something": "1"}',
        "train": '[{"id": "3", "template": "Opening [something]"}, {"id": "5", "template": "Closing [something]"}]',
        "validation": '[{"id": "7", "template": "Opening [something]"}]',
    }
    for name, text in texts.items():
        (tmp_path / f"{prefix}{name}.json").write_text(text)
    train, val = build_manifests({"source": "something_something_v2", "root": str(tmp_path)})
    assert [record.label for record in train.records] == [1, 0]
    assert [(record.video_id, record.label) for record in val.records] == [("7.webm", 1)]


def test_kinetics_with_another_number_of_classes_is_read_with_a_warning(tmp_path, caplog):
    for part in ("train", "val"):
        (tmp_path / part).mkdir()
        (tmp_path / part / f"{part}.mp4").touch()
        (tmp_path / part / "x.mp4").touch()
        rows = f"yoga,{part},0,10,{part}\nchess,x,0,10,{part}\n"
        (tmp_path / f"{part}.csv").write_text("label,youtube_id,time_start,time_end,split\n" + rows)
    data = {"source": "kinetics", "root": str(tmp_path)}
    build_manifests(data | {"expected_classes": 2})
    assert not caplog.messages
    build_manifests(data | {"expected_classes": 700})
    assert caplog.messages == [  # the whole sentence, once for its family
        f"{tmp_path / 'train.csv'} has 2 classes, not the 700 of the published data set; "
        "check the list, unless it is a part on purpose"
    ]


def test_several_labels_in_a_list_and_in_folds(tmp_path):
    for stem in "abcd":
        (tmp_path / f"{stem}.mp4").touch()
    path = tmp_path / "list.csv"
    path.write_text("path,label,fold\na.mp4,x|y,0\nb.mp4,y,1\nc.mp4,,1\nd.mp4,x,1\n")
    data = {"source": "csv", "train": str(path), "label_separator": "|"}
    manifest = build_manifest(data, "train")
    assert manifest.multi_label
    assert [record.labels for record in manifest.records] == [(0, 1), (1,), (), (0,)]
    train, val = build_manifests(data | {"fold_column": "fold", "fold": 0})
    assert [record.labels for record in train.records] == [(1,), (), (0,)]
    assert [record.labels for record in val.records] == [(0, 1)]
    with pytest.raises(ManifestError, match="line 4: .*label of c.mp4 .*empty"):
        build_manifest(data | {"label_separator": None}, "train")


def pytorchvideo_settings(tmp_path, **changes):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        config = compose("train", overrides=["data=pytorchvideo", f"data.root='{tmp_path}'"])
    return {**OmegaConf.to_container(config.data), **changes}


def test_pytorchvideo_folders_and_lists(tmp_path):
    for name in ("train/run/a.mp4", "train/walk/b.avi", "val/run/c.mp4", "val/walk/d.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    train, val = build_manifests(pytorchvideo_settings(tmp_path))
    assert train.classes == val.classes == ("run", "walk")
    assert [record.path for record in val.records] == [tmp_path / "val/run/c.mp4", tmp_path / "val/walk/d.mp4"]
    (tmp_path / "list.txt").write_text("train/run/a.mp4 0\ntrain/walk/b.avi 1\n")
    listed, _ = build_manifests(pytorchvideo_settings(tmp_path, train="list.txt", val="list.txt"))
    assert [record.path for record in listed.records] == [record.path for record in train.records]
    assert listed.classes == ("0", "1")


def test_pytorchvideo_hmdb51_has_its_own_lists(tmp_path):
    (tmp_path / "testTrainMulti_7030_splits").mkdir()
    (tmp_path / "hmdb51_org").mkdir()
    for label in ("run", "sit"):
        path = tmp_path / "testTrainMulti_7030_splits" / f"{label}_test_split1.txt"
        path.write_text(f"{label}0.avi 1\n{label}1.avi 2\n")
    train, val = build_manifests(pytorchvideo_settings(tmp_path, dataset="hmdb51"))
    assert [record.path for record in train.records] == [tmp_path / f"hmdb51_org/{n}/{n}0.avi" for n in ("run", "sit")]
    assert [record.label for record in val.records] == [0, 1]


def test_who_reads_the_training_clips(tmp_path):
    records = (VideoRecord(tmp_path / "a.mp4", 0, "a"), VideoRecord(tmp_path / "b.mp4", 1, "b"))
    manifest = Manifest(records, ("x", "y"))
    settings = pytorchvideo_settings(tmp_path, clip_sampler="uniform")
    reader = build_frame_reader(settings, manifest)
    assert (reader.num_frames, reader.paths) == (16, [str(record.path) for record in records])
    assert build_frame_reader({**settings, "source": "csv"}, manifest) is None
    for key, value in (("sampling", "segments"), ("target_fps", 25.0), ("short_video", "loop")):
        with pytest.raises(ValueError, match=rf"^data.{key}={value} .*data.source=pytorchvideo"):
            build_frame_reader({**settings, key: value}, manifest)
    with pytest.raises(ValueError, match="clip_sampler='best' .*uniform"):
        build_frame_reader({**settings, "clip_sampler": "best"}, manifest)


def test_videos_on_both_sides_are_counted(tmp_path, caplog):
    rows = "a.mp4,walk,0\nb.mp4,run,1\n"
    train, val = write_list(tmp_path / "train.csv", rows), write_list(tmp_path / "val.csv", "b.mp4,run,1\n")
    assert len(build_manifests({"source": "csv", "train": train, "val": val})[1].records) == 1
    assert re.search("1 of the 1 validation .*training videos", caplog.text)


@pytest.mark.parametrize("setting", ["train", "val", "train_videos", "val_videos"])
@pytest.mark.parametrize("source", ["ucf101", "hmdb51", "something_something_v2", "pytorchvideo"])
def test_lists_of_ones_own_beside_official_ones_are_refused(tmp_path, source, setting):
    data = {"source": source, "root": str(tmp_path), setting: str(tmp_path)}
    data |= {"dataset": "hmdb51"} if source == "pytorchvideo" else {}
    with pytest.raises(ValueError, match=rf"data.source={source}\b.*leave data.{setting} out"):
        build_manifest(data, "train")


def test_paths_of_settings_get_the_form_that_they_have_on_disk(tmp_path):
    (tmp_path / "donne\u0301es" / "e\u0301te\u0301").mkdir(parents=True)
    (tmp_path / "donne\u0301es" / "train.csv").touch()
    given = {
        "root": f"{tmp_path}/donn\u00e9es",
        "train": "train.csv",
        "shards": "\u00e9t\u00e9/{0..3}.tar",
        "val": "\u00f6.csv",
    }
    root = f"{tmp_path}/donne\u0301es"
    assert absolute_paths(given) == {
        "root": root,
        "train": f"{root}/train.csv",
        "shards": f"{root}/e\u0301te\u0301/{{0..3}}.tar",
        "val": str(Path.cwd() / "\u00f6.csv"),
    }

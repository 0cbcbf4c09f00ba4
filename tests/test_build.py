from pathlib import Path

import pytest

from stvit_video.build import CONF_DIR, build_manifest, build_manifests, build_preprocessing
from stvit_video.data.manifest import ManifestError


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


def test_fold_without_column(tmp_path):
    with pytest.raises(ValueError, match="data.fold_column and data.fold belong together"):
        build_manifest({"source": "csv", "train": "x.csv", "fold": 1}, "train")


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
        (tmp_path / f"{part}.csv").write_text(
            f"label,youtube_id,time_start,time_end,split\nplaying chess,{youtube_id},3,13,{part}\n"
        )
    _, val_manifest = build_manifests({"source": "kinetics", "root": str(tmp_path)})
    assert val_manifest.records[0].path.name == "-bcdefghij__000003_000013.mp4"


def test_class_that_only_val_has(tmp_path):
    train = write_list(tmp_path / "train.csv", "a.mp4,walk,0\n")
    val = write_list(tmp_path / "val.csv", "c.mp4,swim,0\n")
    with pytest.raises(ManifestError, match="swim"):
        build_manifests({"source": "csv", "train": train, "val": val})


@pytest.mark.parametrize(
    ("data", "part", "message"),
    [
        ({"source": "tar"}, "train", "data.source='tar' is unknown; choose one of csv, folder, kinetics, synthetic"),
        ({"source": "csv"}, "test", 'part=\'test\' is unknown; choose "train" or "val"'),
        ({"source": "csv"}, "val", "data.source=csv needs data.val; give it, for example data.val=/path"),
        ({"source": "folder"}, "val", "data.source=folder needs data.root"),
    ],
)
def test_settings_that_lack_something(data, part, message):
    with pytest.raises(ValueError, match=message):
        build_manifest(data, part)


def test_preprocessing_and_configuration_folder():
    data = {"num_frames": 3, "frame_stride": 2, "short_side": 20, "crop_size": 16, "mean": [0.5] * 3, "std": [0.2] * 3}
    assert build_preprocessing(data).crop_size == 16
    assert (Path(CONF_DIR) / "train.yaml").is_file()

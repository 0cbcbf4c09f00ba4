"""data.source=shards: where the shards are looked for, and who may name addresses."""

import pytest
from tar_maker import write_tar

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.quarantine import Quarantined, write_quarantine
from stvit_video.factories.manifests import absolute_paths, build_manifest, build_manifests


def write_shard(path, *labels):
    members = {}
    for number, label in enumerate(labels):
        members |= {f"{path.stem}{number}.mp4": b"video", f"{path.stem}{number}.json": {"label": label}}
    write_tar(path, members)


def test_shards_in_root_by_pattern_and_for_an_evaluation(tmp_path, monkeypatch):
    write_shard(tmp_path / "train" / "a00.tar", "walk", "run")
    write_shard(tmp_path / "train" / "a01.tar", "walk")
    write_shard(tmp_path / "val" / "b.tar", "run")
    train, val = build_manifests({"source": "shards", "root": str(tmp_path)})
    assert train.classes == val.classes == ("run", "walk")
    assert [record.video_id for record in train.records] == ["a000.mp4", "a001.mp4", "a010.mp4"]
    assert [(record.member, record.label) for record in val.records] == [("b0.mp4", 0)]
    monkeypatch.chdir(tmp_path / "train")
    given = {"source": "shards", "shards": "a{00..01}.tar", "val_shards": "val/*.tar", "root": str(tmp_path)}
    assert build_manifests(given)[0].records == train.records
    assert absolute_paths(given)["val_shards"] == f"{tmp_path}/val/*.tar"
    assert build_manifest({"source": "shards", "val": str(tmp_path / "val")}, "val").records[0].member == "b0.mp4"
    with pytest.raises(ValueError, match="data.source=shards needs data.root;"):
        build_manifest({"source": "shards"}, "val")


def test_addresses_stay_as_they_are_and_are_refused_unless_allowed():
    data = {"source": "shards", "root": "s3://b/k400", "shards": "s3://b/{0..1}.tar", "allow_addresses": False}
    assert absolute_paths(data) == data
    with pytest.raises(ManifestError, match="local shards .*data.allow_addresses=true"):
        build_manifest(data, "train")


def test_quarantine_of_a_video_in_a_shard(tmp_path):
    write_shard(tmp_path / "train" / "a.tar", "walk", "run", "run")
    data = {"source": "shards", "root": str(tmp_path), "quarantine": "bad.csv"}
    write_quarantine(tmp_path / "bad.csv", [Quarantined(path=f"{tmp_path}/train/a.tar: a1.mp4", reason="cut short")])
    assert [record.member for record in build_manifest(data, "train").records] == ["a0.mp4", "a2.mp4"]

"""Which labelled videos a checkpoint is looked at with: those of its training, moved ones, or others."""

from pathlib import Path

import pytest

from stvit_video.data.manifests.faults import ManifestError, UnknownLabelError
from stvit_video.factories.evaluated_data import choose_data, labelled_manifest
from stvit_video.settings.evaluate_settings import EvaluatedData


def test_a_label_that_the_checkpoint_lacks(tmp_path: Path) -> None:
    (tmp_path / "swim").mkdir()
    (tmp_path / "swim" / "a.mp4").write_bytes(b"")
    data = {"source": "folder", "val": str(tmp_path)}
    with pytest.raises(UnknownLabelError, match=r"unknown label 'swim'(.|\n)*checkpoint .*2: jump, run;"):
        labelled_manifest(data, ("jump", "run"))
    gone = {"source": "csv", "val": str(tmp_path / "no.csv")}
    with pytest.raises(ManifestError, match=r"data\.val: .*no\.csv;") as caught:
        labelled_manifest(gone, ("jump", "run"))
    assert "checkpoint" not in str(caught.value)
    assert "training run" not in str(caught.value)
    with pytest.raises(
        ManifestError,  # the whole sentence, once for its family
        match=r"no\.csv(.|\n)*these are the validation data of the training run; if they have moved, give their "
        r"folder as data\.root=/path, or evaluate others with data\.source=csv data\.val=my\.csv",
    ):
        labelled_manifest(gone, ("jump", "run"), stored=True)


def test_choice_of_data() -> None:
    stored = {"source": "csv", "val": "old.csv", "root": "old", "fold": 3}
    assert choose_data(stored, EvaluatedData()) == stored
    moved = choose_data(stored, EvaluatedData(root="new"))
    assert moved == {"source": "csv", "val": "old.csv", "root": "new", "fold": 3}
    other = choose_data(stored, EvaluatedData(source="csv", val="new.csv"))
    assert other == {"source": "csv", "val": "new.csv"}  # nothing of the old data remains
    with pytest.raises(ValueError, match=r"data\.val and data\.val_videos need data\.source"):
        choose_data(stored, EvaluatedData(val="new.csv"))


def test_settings_of_the_layout_can_be_given() -> None:
    stored = {"source": "ucf101", "root": "/data", "split": 1, "missing": "error"}
    assert choose_data(stored, EvaluatedData.model_validate({"split": 2})) == stored | {"split": 2}
    other = EvaluatedData.model_validate({"source": "hmdb51", "root": "/h", "split": 3})
    assert choose_data(stored, other) == {"source": "hmdb51", "root": "/h", "split": 3}


def test_a_checkpoint_cannot_allow_addresses() -> None:
    stored = {"source": "shards", "val_shards": "s3://b/{0..1}.tar", "root": "/data", "allow_addresses": True}
    data = choose_data(stored, EvaluatedData(root="/new"))
    assert data == {"source": "shards", "val_shards": "s3://b/{0..1}.tar", "root": "/new"}
    assert choose_data(stored, EvaluatedData(root="/new", allow_addresses=True)) == data | {"allow_addresses": True}


def test_data_that_have_moved_are_found_below_the_new_root(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    below = {"source": "csv", "root": str(old), "train": str(old / "lists" / "all.csv"), "val": None}
    moved = choose_data(below, EvaluatedData(root=str(new)))
    assert (moved["train"], moved["val"], moved["root"]) == (str(new / "lists" / "all.csv"), None, str(new))
    beside = {"source": "csv", "root": None, "val": str(tmp_path / "gone" / "val.csv")}
    assert choose_data(beside, EvaluatedData(root=str(new)))["val"] == str(new / "val.csv")
    kept = tmp_path / "kept.csv"
    kept.touch()
    assert choose_data(beside | {"val": str(kept)}, EvaluatedData(root=str(new)))["val"] == str(kept)


def test_labels_are_separated_as_in_the_training_unless_given() -> None:
    stored = {"source": "csv", "val": "old.csv", "label_separator": "|"}
    assert choose_data(stored, EvaluatedData())["label_separator"] == "|"
    assert choose_data(stored, EvaluatedData(source="csv", val="new.csv"))["label_separator"] == "|"
    assert choose_data(stored, EvaluatedData(label_separator=";"))["label_separator"] == ";"
    folder = choose_data(stored, EvaluatedData(source="folder", val="new"))
    assert folder == {"source": "folder", "val": "new"}
    # the whole sentence, once for its family
    with pytest.raises(ValueError, match=r"^data\.label_separator=';' is for csv data, not for ucf101; leave it out$"):
        choose_data({"source": "ucf101"}, EvaluatedData(label_separator=";"))

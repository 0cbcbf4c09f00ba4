"""Names of results: those of the files, and no two alike."""

from pathlib import Path

import pytest

from stvit_video.visualization.overlay_names import overlay_names, prepare_folder, remove_empty


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["street.mp4", "a/b.c.jpg"], ["street", "b.c"]),
        (["a.jpg", "a.png"], ["a_jpg", "a_png"]),
        (["left/a.mp4", "right/a.mp4", "b.mp4"], ["left_a", "right_a", "b"]),
        (["left/a.mp4", "right/a.mp4", "right/a.jpg"], ["left_a_mp4", "right_a_mp4", "right_a_jpg"]),
        (["1/x/a.mp4", "2/x/a.mp4"], ["1_x_a", "2_x_a"]),
        (["a.mp4", "b/A.mp4"], None),
        (["left/a.mp4", "right/a.mp4", "left_a.mp4"], ["left_a_2", "right_a", "left_a"]),
        (["cafe\u0301.mp4", "b/caf\u00e9.mp4"], None),
        (["a.jpg", "a"], ["a_jpg", "a"]),
    ],
)
def test_names_are_short_and_differ(tmp_path, monkeypatch, paths, names):
    monkeypatch.chdir(tmp_path)
    found = overlay_names(paths, folder=tmp_path / "out")
    if names is not None:
        assert found == names
    assert len({name.casefold() for name in found}) == len(paths)


def test_two_long_names_are_cut_and_differ(tmp_path):
    names = overlay_names([f"{'ü' * 120}{n}.mp4" for n in range(2)], folder=tmp_path)
    assert len(set(names)) == 2
    assert all(len(name.encode()) < 190 for name in names)


@pytest.mark.parametrize("source", ["street.mp4", "photo.png", "STREET.MP4"])
def test_a_source_is_never_written_over(tmp_path, source):
    (tmp_path / source).touch()
    with pytest.raises(ValueError, match=r"would be written over .*give an out= that is not the folder"):
        overlay_names([tmp_path / source], folder=tmp_path)
    assert overlay_names([tmp_path / source], folder=tmp_path / "out") == [Path(source).stem]


def test_a_picture_may_go_beside_its_drawing(tmp_path):
    assert overlay_names([tmp_path / "a.jpg"], folder=tmp_path) == ["a"]


def test_a_folder_that_can_not_be_made_is_named(tmp_path):
    assert prepare_folder(tmp_path / "a" / "b") == [tmp_path / "a" / "b", tmp_path / "a"]
    assert prepare_folder(tmp_path / "a" / "b") == []
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"the folder .*file/out can't be made or written \(.+\); give another out="):
        prepare_folder(tmp_path / "file" / "out")
    with pytest.raises(ValueError, match="out=.*file is a file; give a folder"):
        prepare_folder(tmp_path / "file")


def test_folders_are_removed_as_far_as_they_are_empty(tmp_path):
    made = prepare_folder(tmp_path / "a" / "b" / "c")
    (tmp_path / "a" / "kept").touch()
    remove_empty(made)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["kept"]


def test_all_results_differ_not_the_names_alone(tmp_path):
    endings = (".png", "_labels.png")
    paths = ["a.jpg", "b/a_labels.jpg", "c/A_LABELS.gif"]
    names = overlay_names(paths, folder=tmp_path, endings=endings)
    results = [f"{name}{ending}".casefold() for name in names for ending in endings]
    assert len(set(results)) == 6
    assert overlay_names(paths[:2], folder=tmp_path) == ["a", "a_labels"]
    (tmp_path / "photo_labels.png").touch()
    sources = [tmp_path / "photo_labels.png", "photo.jpg"]
    assert overlay_names(sources, folder=tmp_path / "out", endings=endings) == ["photo_labels", "photo_2"]
    with pytest.raises(ValueError, match="photo_labels.png"):
        overlay_names(["photo.jpg", tmp_path / "photo_labels.png"], folder=tmp_path, endings=endings)

import pytest

from stvit_video.data.manifests.builder import Listed, build_manifest_of, check_missing, index_videos, settle_missing
from stvit_video.data.manifests.faults import Faults, ManifestError


def make_files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_index_of_a_folder_and_the_folders_in_it(tmp_path):
    make_files(tmp_path, "a.mp4", "x/a.MKV", "x/b.c.avi", "x/notes.txt", "x/deep/d.mp4")
    assert index_videos(tmp_path) == {
        ("", "a"): tmp_path / "a.mp4",
        ("x", "a"): tmp_path / "x" / "a.MKV",
        ("x", "b.c"): tmp_path / "x" / "b.c.avi",
    }
    # the whole sentence, once for its family
    with pytest.raises(ManifestError, match=r"^there is no folder .*none; correct the folder of the videos$"):
        index_videos(tmp_path / "none")


def settle(tmp_path, missing, *stems):
    listed = [Listed(line, f"{stem}.mp4", tmp_path / f"{stem}.mp4", "x") for line, stem in enumerate(stems, start=2)]
    faults = Faults("list.csv")
    stay = settle_missing(listed, index_videos(tmp_path), video_dir=tmp_path, missing=missing, faults=faults)
    return [video.written for video in stay], faults.found


def test_missing_videos_are_faults_are_dropped_or_stay(tmp_path, caplog):
    make_files(tmp_path, "a.mp4", "c.mp4")
    fault = (3, f"there is no video {tmp_path / 'b.mp4'}; get it, or use data.missing=drop")
    assert settle(tmp_path, "error", "a", "b", "c") == (["a.mp4", "b.mp4", "c.mp4"], [fault])
    assert settle(tmp_path, "keep", "a", "b", "c") == (["a.mp4", "b.mp4", "c.mp4"], [])
    assert settle(tmp_path, "drop", "a", "c") == (["a.mp4", "c.mp4"], [])
    assert not caplog.messages
    assert settle(tmp_path, "drop", "a", "b", "c") == (["a.mp4", "c.mp4"], [])
    # the whole sentence, once for its family
    assert caplog.messages == [f"list.csv: 1 videos are not in {tmp_path} and left out, 2 stay"]


def test_where_nothing_is_left_the_folder_is_named(tmp_path):
    make_files(tmp_path, "a.mp4")
    text = f"none of its 2 videos is in {tmp_path}; correct the folder of the videos"
    assert settle(tmp_path, "drop", "b", "c") == ([], [(0, text)])


def test_unknown_wish():
    check_missing("keep")
    # the whole sentence, once for its family
    with pytest.raises(ValueError, match="^missing='no' is unknown; use one of error, drop, keep$"):
        check_missing("no")


def test_labels_are_numbered_and_doubles_refused(tmp_path):
    listed = [Listed(2, "a.mp4", tmp_path / "a.mp4", "run"), Listed(3, "b.mp4", tmp_path / "b.mp4", "jump")]
    assert [record.label for record in build_manifest_of(listed, None, Faults("list.csv")).records] == [1, 0]
    with pytest.raises(ManifestError, match=r"line 3: a\.mp4 .*already .*line 2\b"):
        build_manifest_of([listed[0], listed[0]._replace(line=3)], None, Faults("list.csv"))
    # the whole sentence, once for its family
    with pytest.raises(ManifestError, match=r"1 fault\(s\):\n  it lists no video; add at least one$"):
        build_manifest_of([], ("x", "y"), Faults("list.csv"))

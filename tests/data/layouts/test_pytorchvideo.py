import pytest
from pytorchvideo.data.hmdb51 import Hmdb51LabeledVideoPaths
from pytorchvideo.data.labeled_video_paths import LabeledVideoPaths

from stvit_video.data.layouts.pytorchvideo import read_pytorchvideo_manifest
from stvit_video.data.manifests.faults import ManifestError


@pytest.fixture
def class_folders(tmp_path):
    """Two classes of three and two videos, and a file that pytorchvideo does not take."""
    for name in ("swim/b.mp4", "swim/a c.avi", "swim/d.mp4", "Run/x.mp4", "Run/y.mp4", "Run/notes.txt"):
        (tmp_path / "videos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "videos" / name).touch()
    return tmp_path / "videos"


def test_a_folder_of_class_folders(class_folders):
    manifest = read_pytorchvideo_manifest(class_folders)
    theirs = LabeledVideoPaths.from_path(str(class_folders))
    assert manifest.classes == ("Run", "swim")
    assert [(str(r.path), r.label) for r in manifest.records] == [
        (theirs[number][0], theirs[number][1]["label"]) for number in range(5)
    ]
    flipped = read_pytorchvideo_manifest(class_folders, classes=("swim", "Run"))
    assert [record.label for record in flipped.records] == [1 - record.label for record in manifest.records]


def test_a_list_with_numbers(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("a b.mp4 10\nsub/c.mp4 9\n/abs/d.mp4 2\n")
    manifest = read_pytorchvideo_manifest(path, prefix=tmp_path)
    assert manifest.classes == ("2", "9", "10")
    assert [(str(r.path), r.label) for r in manifest.records] == [
        (f"{tmp_path}/a b.mp4", 2),
        (f"{tmp_path}/sub/c.mp4", 1),
        ("/abs/d.mp4", 0),
    ]


def test_hmdb51(tmp_path):
    (tmp_path / "splits").mkdir()
    for name, lines in (("draw_sword", ("a.avi 1", "b (2).avi 2", "c.avi 0")), ("run", ("d.avi 2", "e.avi 1"))):
        (tmp_path / "splits" / f"{name}_test_split2.txt").write_text("\n".join(lines) + "\n")
    found = {
        part: read_pytorchvideo_manifest(
            tmp_path / "splits", dataset="hmdb51", prefix="/videos", part=part, split=2, classes=("draw_sword", "run")
        )
        for part in ("train", "val")
    }
    for part, theirs in (("train", "train"), ("val", "test")):
        paths = Hmdb51LabeledVideoPaths.from_dir(str(tmp_path / "splits"), 2, theirs)
        paths.path_prefix = "/videos"
        records = found[part].records
        assert [str(record.path) for record in records] == [paths[number][0] for number in range(len(paths))]
        assert [found[part].classes[r.label] for r in records] == [paths[n][1]["label"] for n in range(len(paths))]
    assert [str(record.path) for record in found["val"].records] == [
        "/videos/draw_sword/b (2).avi",
        "/videos/run/d.avi",
    ]


def test_faults_are_named(tmp_path, class_folders):
    path = tmp_path / "list.txt"
    path.write_text("a.mp4 1\nb.mp4\n")
    with pytest.raises(ManifestError, match=r"line 2: b\.mp4 .*no label\b"):
        read_pytorchvideo_manifest(path)
    path.write_text("a.mp4 one\n")
    with pytest.raises(ManifestError, match=r"list\.txt': invalid literal"):
        read_pytorchvideo_manifest(path)
    path.write_text("")
    with pytest.raises(ManifestError, match=r"list\.txt': Failed to load dataset"):
        read_pytorchvideo_manifest(path)
    with pytest.raises(ManifestError, match="'/nowhere': /nowhere not found"):
        read_pytorchvideo_manifest("/nowhere")
    # the whole sentence, once for its family
    with pytest.raises(
        ManifestError, match="^pytorchvideo can't list the videos of '/nowhere': there is no such folder$"
    ):
        read_pytorchvideo_manifest("/nowhere", dataset="hmdb51")
    with pytest.raises(ValueError, match="dataset='ssv2' .*labeled, hmdb51"):
        read_pytorchvideo_manifest(class_folders, dataset="ssv2")
    with pytest.raises(ValueError, match="split=4 .*1, 2 and 3"):
        read_pytorchvideo_manifest(class_folders, dataset="hmdb51", split=4)

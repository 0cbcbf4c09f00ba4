from stvit_video.data.layouts.embedded import find_embedded

SMALL = {"num_train": 14, "num_val": 12, "image_size": 32, "video_frames": 5, "generation_seed": 3}


def test_it_is_written_when_its_list_is_read(tmp_path):
    root = tmp_path / "set"
    reading = find_embedded("val", known_classes=None, root=str(root), **SMALL)
    assert not root.exists()
    manifest = reading()
    assert len(manifest.records) == 12
    assert all(record.path.is_file() for record in manifest.records)
    names = manifest.classes[::-1]
    assert find_embedded("train", known_classes=names, root=str(root), **SMALL)().classes == names

from stvit_video.data.layouts.drawn_maps import find_drawn_maps

SETTINGS = {"num_train": 7, "num_val": 3, "image_size": 48}


def test_both_parts_are_drawn_when_one_is_read(tmp_path):
    reading = find_drawn_maps("train", known_classes=None, root=str(tmp_path / "set"), **SETTINGS)
    assert not (tmp_path / "set").exists()
    train = reading()
    val = find_drawn_maps("val", known_classes=None, root=str(tmp_path / "set"), **SETTINGS)()
    assert (len(train.records), len(val.records)) == (7, 3)
    assert train.names.names == {0: "ground", 1: "disc", 2: "square", 3: "triangle"}
    assert not train.warnings
    assert {value for index in range(7) for value in train.rules.counted(train.read_stored(index))} == {0, 1, 2, 3}

import pytest

from stvit_video.data.manifests.name_stems import source_stem


@pytest.mark.parametrize(
    ("name", "class_name", "stem"),
    [
        ("v_Archery_g01_c02.avi", "Archery", "v_archery_g01"),
        ("fi001_a.mp4", "fight", "fi001"),
        ("fi001_b.mp4", "fight", "fi001"),
        ("match3 part 2.mov", "goal", "match3"),
        ("match3-clip04.mov", "goal", "match3"),
        ("cam2 (1).mp4", "cat", "cam2"),
        ("cam2_07 (1).mp4", "cat", "cam2"),
        ("fall - Copy.mp4", "fall", "fall"),
        ("fall_copy2.mp4", "fall", "fall"),
        ("dQw4w9WgXcQ_000010_000020.mp4", "dance", "dqw4w9wgxcq"),
        # a number that is the recording's own
        ("cat_001.mp4", "cat", "cat_001"),
        ("cat (2).mp4", "cat", "cat (2)"),
        ("walk2_07.mp4", "walk2", "walk2_07"),
        ("fi001.mp4", "fight", "fi001"),
        ("VID_20240101_123456.mp4", "cat", "vid_20240101_123456"),
        ("copy.mp4", "cat", "copy"),
        ("photocopy.mp4", "cat", "photocopy"),
        ("no_ending", "cat", "no_ending"),
        ("café_é1_2.mp4", "cat", "café_é1"),  # decomposed, as macOS writes it
        ("café_é1_3.mp4", "cat", "café_é1"),
    ],
)
def test_names_of_pieces(name, class_name, stem):
    assert source_stem(name, class_name=class_name) == stem

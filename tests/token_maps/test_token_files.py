import av
import pytest
from made_tokens import made_clip, made_video
from PIL import Image

from stvit_video.token_maps.token_files import write_token_files


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("semantic", ["tubes.mp4", "class_map.mp4", "sheet.png", "timeline.png", "report.html"]),
        ("dense", ["class_map.mp4", "sheet.png", "timeline.png", "report.html"]),
        ("picture", ["tubes.png", "class_map.png", "sheet.png", "report.html"]),
    ],
)
def test_each_kind_has_its_files(tmp_path, kind, wanted):
    is_picture = kind == "picture"
    clip = made_clip(num_tokens=5, **({"num_frames": 1, "grid": (1, 4, 4)} if is_picture else {}))
    video = made_video(clip, is_semantic=kind != "dense", is_picture=is_picture)
    names, notes = write_token_files(tmp_path, video, made_with={"Command": "visualize a"})
    assert (names, notes) == (wanted, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(wanted)
    for name in names:
        if name.endswith(".png"):
            Image.open(tmp_path / name).load()
        if name.endswith(".mp4"):
            with av.open(str(tmp_path / name)) as container:
                assert sum(1 for _ in container.decode(video=0)) == len(clip.frames)
    page = (tmp_path / "report.html").read_text()
    assert "visualize a" in page
    assert page.count('src="data:image/png') == (1 if is_picture else 2)

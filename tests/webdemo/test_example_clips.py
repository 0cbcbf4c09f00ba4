"""The example clips: whole, small, and kept to the end."""

from stvit_video.data.decoding.video import open_video
from stvit_video.data.synthetic.drawing import CLASSES
from stvit_video.webdemo.clip_store import ClipStore
from stvit_video.webdemo.example_clips import draw_examples


def test_examples_are_small_clips_of_the_embedded_data_set(tmp_path):
    (tmp_path / "clips").mkdir()
    store = ClipStore(tmp_path / "clips", keep_seconds=0.0, max_clips=1)
    drawn = draw_examples(store)
    names, tokens, paths = zip(*drawn, strict=True)
    assert set(names) < set(CLASSES)
    assert len(set(tokens)) == len(drawn)
    assert sum(path.stat().st_size for path in paths) < 2 * 10**6
    store.drop_old()
    assert [store.path_of(token) for token in tokens] == list(paths)
    with open_video(paths[0]) as video:
        assert (video.num_frames, video.height, video.width) == (16, 64, 64)
    assert list((tmp_path / "clips").iterdir()) == []
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for _, _, path in draw_examples(store)]

import json

import pytest

from stvit_video.predictions.drawn_by import FILE, drawn_by

ENDINGS = (".png", ".json")


def draw(checkpoint, names, folder, *, drawn=None, error=None):
    with drawn_by(checkpoint, names, folder=folder, endings=ENDINGS):
        for name in names if drawn is None else drawn:
            (folder / f"{name}.png").write_text(str(checkpoint))
        if error:
            raise error


def test_a_checkpoint_writes_over_its_own_drawings_alone(tmp_path):
    draw("a.ckpt", ["cat", "dog"], tmp_path)
    draw("a.ckpt", ["dog"], tmp_path)
    draw("b.ckpt", ["cow"], tmp_path)
    with pytest.raises(
        ValueError, match=r"holds the results of dog and of 1 more by another checkpoint, .*a\.ckpt; give"
    ):
        draw("b.ckpt", ["cow", "dog", "cat"], tmp_path)
    assert (tmp_path / "dog.png").read_text() == "a.ckpt"
    draw("a.ckpt", ["cat"], tmp_path)
    (tmp_path / "dog.png").unlink()
    draw("b.ckpt", ["dog"], tmp_path)


def test_only_what_was_drawn_is_taken_down_also_when_the_work_is_stopped(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        draw("a.ckpt", ["cat", "dog"], tmp_path, drawn=["cat"], error=KeyboardInterrupt())
    assert list(json.loads((tmp_path / FILE).read_text())) == ["cat"]
    empty = tmp_path / "empty"
    empty.mkdir()
    draw("a.ckpt", ["cat"], empty, drawn=[])
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_folder_that_says_nothing_is_drawn_into(content, tmp_path):
    (tmp_path / "cat.png").touch()
    (tmp_path / FILE).write_text(content)
    draw("a.ckpt", ["cat"], tmp_path)
    assert list(json.loads((tmp_path / FILE).read_text())) == ["cat"]

import pytest

from stvit_video.data.manifests.picture_endings import is_picture_file


@pytest.mark.parametrize(("name", "expected"), [("a.JPEG", True), ("b.webp", True), ("c.gif", False), ("jpg", False)])
def test_extensions(name, expected):
    assert is_picture_file(name) is expected

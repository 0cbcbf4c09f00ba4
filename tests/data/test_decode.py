"""The face of the decoding room: the names that it promises are the room's own."""

import pytest

import stvit_video
from stvit_video import data
from stvit_video.data import decode
from stvit_video.data.decoding import request, video
from stvit_video.data.manifests import manifest


def test_the_faces_give_the_rooms_own_things():
    assert decode.open_video is data.open_video is stvit_video.open_video is video.open_video
    assert decode.DecodeError is data.DecodeError is request.DecodeError
    assert decode.DecodeTimeoutError is request.DecodeTimeoutError
    assert data.Manifest is manifest.Manifest
    assert dir(stvit_video) == sorted([*stvit_video.__all__, "__version__"])
    assert callable(stvit_video.create_model)


@pytest.mark.parametrize("module", [stvit_video, data])
def test_unknown_names_are_an_error(module):
    with pytest.raises(AttributeError, match="no_such_thing"):
        module.no_such_thing  # noqa: B018 - the access itself raises

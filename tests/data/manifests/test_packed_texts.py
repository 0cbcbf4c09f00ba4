import pickle

import pytest

from stvit_video.data.manifests.packed_texts import PackedTexts

TEXTS = ["one", "", "zwölf", "[[1,2]]", ""]


def test_texts_come_back_also_in_another_process():
    for packed in (PackedTexts(TEXTS), pickle.loads(pickle.dumps(PackedTexts(TEXTS)))):
        assert len(packed) == 5
        assert list(packed) == TEXTS
    assert list(PackedTexts([])) == []


@pytest.mark.parametrize("index", [-1, 5])
def test_there_is_no_text_outside(index):
    with pytest.raises(IndexError, match=f"{index} of 5"):
        PackedTexts(TEXTS)[index]

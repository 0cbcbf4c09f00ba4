import re

import pytest

from stvit_video.tokens.plans import check_reducer, num_after_reducer, pyramid_depths, reduced_level
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.reducers.token_reducer import TokenReducer


class OnlyDeit(TokenReducer):
    """A reducer with all restrictions, and an odd number of layers."""

    num_layers = 3
    families = ("deit",)
    can_recover = False


@pytest.fixture(autouse=True)
def restricted(monkeypatch):
    monkeypatch.setitem(REDUCERS, "restricted", OnlyDeit)


@pytest.mark.parametrize("reducer", ["semantic", "random", "pool", "tome"])
@pytest.mark.parametrize("family", ["deit", "swin", "casvit"])
def test_known_reducers(reducer, family):
    assert check_reducer(reducer, family=family) == check_reducer(reducer, family=family, recover=True) == reducer
    assert check_reducer("none", family=family) == "none"
    assert check_reducer("restricted", family="deit") == "restricted"


@pytest.mark.parametrize("reducer", ["mean", None, ["pool"]])
def test_unknown_reducers(reducer):
    known = ", ".join(f'"{name}"' for name in (*REDUCERS, "none"))
    message = re.escape(f"reducer={reducer!r} is unknown; choose one of {known}")
    with pytest.raises(ValueError, match=f"^{message}$"):  # the whole sentence, once for its family
        check_reducer(reducer, family="deit")


def test_reducers_that_do_not_go_with_a_model():
    with pytest.raises(ValueError, match="reducer='restricted' .*swin models, only in deit; .* or reducer=semantic or"):
        check_reducer("restricted", family="swin")
    with pytest.raises(
        ValueError, match="reducer='restricted' can't be recovered from; .*stvit_ .*reducer=semantic or"
    ):
        check_reducer("restricted", family="deit", recover=True)
    with pytest.raises(ValueError, match='reducer="none" .*recover from'):
        check_reducer("none", family="deit", recover=True)


@pytest.mark.parametrize(("reducer", "left"), [("semantic", 6), ("pool", 8), ("restricted", 5)])
def test_blocks_behind_the_reducer(reducer, left):
    assert num_after_reducer(12, 4, reducer, given="depth=12") == left
    assert num_after_reducer(12, 4, reducer, given="depth=12", recover=True) == left - 1
    assert num_after_reducer(12, 4 + left - 1, reducer, given="depth=12") == 1
    with pytest.raises(
        ValueError, match=f"^generate_at={4 + left} does not fit depth=12; .*choose 1 to {4 + left - 1}$"
    ):
        num_after_reducer(12, 4 + left, reducer, given="depth=12")


def test_too_few_blocks():
    with pytest.raises(
        ValueError, match="^level 3 .* at least 5: 1 before generation, 3 of generation and 1 after it$"
    ):
        num_after_reducer(4, 1, "restricted", given=reduced_level((1, 1, 4)))


def test_levels():
    assert pyramid_depths((2, 3, 6)) == [2, 3, 6]
    with pytest.raises(ValueError, match=r"^depths=\(2, 6\) .*2 levels.* at least 3\b"):
        pyramid_depths((2, 6))

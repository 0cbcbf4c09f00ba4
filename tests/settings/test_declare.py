import pytest
from pydantic import ValidationError

from stvit_video.settings.declare import AsTuple, Count, Counts, Group, NumTokens, OpenGroup, Positive, setting


class Inner(Group):
    """Some."""

    sizes: Counts = setting((3, 5), "of something")
    rate: Positive = setting(0.5, "of something else")


class Outer(Group):
    """All."""

    number: Count = setting(2, "how many")
    tokens: NumTokens | None = setting(None, "a count or a grid")
    inner: Inner = Inner()


class Open(OpenGroup):
    """Any."""

    name: str = setting("a", "of it")


def test_plain_values_have_lists_and_typed_ones_tuples():
    outer = Outer.model_validate({"tokens": [2, 3], "inner": {"sizes": [7]}})
    assert (outer.tokens, outer.inner.sizes) == ((2, 3), (7,))
    assert outer.plain() == {"number": 2, "tokens": [2, 3], "inner": {"sizes": [7], "rate": 0.5}}
    assert Outer.model_validate(outer.plain()) == outer


@pytest.mark.parametrize("values", [{"number": "2"}, {"number": True}, {"number": 2.0}, {"numbr": 2}, {"inner": 3}])
def test_nothing_is_converted_and_nothing_unknown_is_taken(values):
    with pytest.raises(ValidationError):
        Outer.model_validate(values)


def test_settings_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Outer().number = 3


def test_an_open_group_keeps_the_rest_as_it_is():
    group = Open.model_validate({"name": "b", "other": [1]})
    assert (group.options, group.plain()) == ({"other": [1]}, {"name": "b", "other": [1]})
    assert Open.model_construct(name="b", other=1).plain() == {"name": "b", "other": 1}


def test_a_whole_number_is_a_number_and_stays_one():
    assert Inner(rate=2).plain()["rate"] == 2
    with pytest.raises(ValidationError):
        Inner(rate=float("inf"))
    assert AsTuple.func([1]) == (1,)

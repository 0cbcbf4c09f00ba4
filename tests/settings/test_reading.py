import pytest

from stvit_video.settings.declare import MISSING, Count, Group, Positive, setting
from stvit_video.settings.reading import default_values, group_of, read_settings, setting_names
from stvit_video.utils.addresses import Place


class Inner(Group):
    """Some."""

    place: str = setting(MISSING, "of it")
    rates: tuple[Positive, ...] = setting((), "of it")


class Outer(Group):
    """All."""

    number: Count = setting(2, "how many")
    inner: Inner = Inner()


class Limits(Group):
    """More."""

    most: Positive = setting(1.0, "of it")
    file: Place | None = setting(None, "of it")


def test_right_values_are_read_and_others_have_their_defaults():
    read = read_settings(Outer, {"inner": {"place": "x"}})
    assert (read.settings.number, read.settings.inner.place, read.settings.inner.rates) == (2, "x", ())
    assert (dict(read.wrong), read.unknown) == ({}, ())


def test_all_that_is_wrong_is_told_at_once_and_the_rest_is_read():
    read = read_settings(Outer, {"number": 0, "numbr": 1, "inner": {"place": "x", "rates": (0.5, -1), "rats": 3}})
    assert dict(read.wrong) == {
        "number": "number=0 must be a whole number at least 1",
        "inner.rates": "inner.rates=(0.5, -1) must be a list of numbers above 0",
    }
    assert sorted(read.unknown) == ["inner.rats", "numbr"]
    assert (read.settings.number, read.settings.inner.place, read.settings.inner.rates) == (2, "x", ())


@pytest.mark.parametrize("values", [{}, {"inner": {}}, {"inner": {"place": "???"}}])
def test_what_must_be_given_is_told(values):
    read = read_settings(Outer, values)
    assert dict(read.wrong) == {"inner.place": "inner.place is missing; give it, for example inner.place=VALUE"}


@pytest.mark.parametrize("value", [None, 3, "x", [1]])
def test_a_group_is_a_group(value):
    read = read_settings(Outer, {"inner": value})
    assert read.wrong["inner"] == f"inner={value!r} must be a group of settings, such as inner.<name>=..."


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_numbers_are_finite(value):
    (sentence,) = read_settings(Inner, {"place": "x", "rates": (value,)}).wrong.values()
    assert sentence == f"rates=({value},) must be a list of numbers above 0"
    (sentence,) = read_settings(Limits, {"most": value}).wrong.values()
    assert sentence == f"most={value} must be a finite number above 0"


def test_an_example_of_a_missing_place_is_a_path():
    assert read_settings(Limits, {"file": "???"}).wrong == {"file": "file is missing; give it, for example file=/path"}


def test_null_and_question_marks_among_optional_settings():
    read = read_settings(Outer, {"number": "???", "inner": {"place": "x"}})
    assert dict(read.wrong) == {"number": "number is missing; give it, for example number=VALUE"}


def test_names_and_defaults():
    assert setting_names(Outer) == ["number", "inner", "inner.place", "inner.rates"]
    assert default_values(Outer) == {"number": 2, "inner": {"place": "???", "rates": []}}
    assert group_of(Outer, "inner") is Inner
    assert group_of(Outer, "number") is None


def test_a_path_that_was_read_as_a_list_or_number_is_told_with_quotes():
    for value, text in (["x", 3], "[x,3]"), (12, "12"):
        wrong = read_settings(Limits, {"file": value}).wrong["file"]
        assert wrong.startswith(f"file={value!r} must be a path")
        assert wrong.endswith(f"; write it as '\"{text}\"'")

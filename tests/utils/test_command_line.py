import pytest

from stvit_video.utils.command_line import positive_number, split_arguments


def test_options_and_files_in_any_order():
    arguments = ["a.mp4", "size=3", "b=c.mp4", "size=5", "--", "-d.mp4", "size=7"]
    assert split_arguments(arguments, keys=("size", "b")) == (
        {"size": "5", "b": "c.mp4"},
        ["a.mp4", "-d.mp4", "size=7"],
    )


@pytest.mark.parametrize("argument", ["sice=3", "-v", "--size=3"])
def test_unknown_options_are_named(argument):
    with pytest.raises(ValueError, match=f"unknown option '{argument}'; allowed are size, b as key=value .if it is a"):
        split_arguments([argument], keys=("size", "b"))


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "two", ""])
def test_numbers_are_whole_and_positive(text):
    assert positive_number("size", "12") == 12
    with pytest.raises(ValueError, match=f"size={text!r} must be a whole number, at least 1"):
        positive_number("size", text)

from stvit_video.utils.docstrings import argument_help


def documented(one, two, three, four):
    """A function.

    Args:
        one: the first: a word.
        two: a long text, which
            goes on: "here",

            and after a blank line.
        three, four: both

    Returns:
        five: nothing.
    """


def undocumented(one):
    pass


def without_arguments():
    """A function."""


def test_every_argument_is_one_line_without_its_full_stop():
    assert argument_help(documented) == {
        "one": "the first: a word",
        "two": 'a long text, which goes on: "here", and after a blank line',
        "three": "both",
        "four": "both",
    }


def test_functions_that_say_nothing():
    assert argument_help(undocumented) == argument_help(without_arguments) == {}

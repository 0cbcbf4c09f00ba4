from stvit_video.utils.docstrings import argument_help


def documented(a, *, long_one, late):
    """Do something.

    Args:
        a: the first, with a colon: here.
        long_one: begins here
            and goes on "there".
        late: last.

    Returns:
        a: no argument.
    """


def test_every_argument_is_one_line_without_its_full_stop():
    assert argument_help(documented) == {
        "a": "the first, with a colon: here",
        "long_one": 'begins here and goes on "there"',
        "late": "last",
    }


def test_no_docstring_no_help():
    assert argument_help(lambda a: a) == {}

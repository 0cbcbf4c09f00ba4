import pytest

from stvit_video.tokens.generation_places import (
    Places,
    check_place,
    moved_index,
    read_places,
    reducer_index,
    refuse_elastic_places,
    run_order,
)

DEIT = ("frame", "frame", "frame", "semantic", "refine", "recover")


@pytest.mark.parametrize(
    ("generate_at", "elastic", "expected"),
    [
        (None, None, Places(4)),
        (3, None, Places(3)),
        (None, [1, 6, 2], Places(6, (1, 6, 2))),
        (2, (1, 6, 2), Places(2, (1, 6, 2))),
    ],
)
def test_places_of_options(generate_at, elastic, expected):
    assert read_places(generate_at, elastic, default=4) == expected


def test_the_deepest_place_says_how_many_image_blocks_there_are():
    assert (Places(2, (1, 6, 2)).deepest, Places(3).deepest) == (6, 3)
    assert (Places(2, (6, 1, 6)).trained, Places(3).trained) == ((1, 6), (3,))


@pytest.mark.parametrize(
    ("generate_at", "elastic", "words"),
    [
        (0, None, r"generate_at=0 .*at least 1"),
        (2.0, None, r"generate_at=2\.0 .*whole"),
        (None, [], r"elastic_generate_at=\[\] is no list"),
        (None, 3, r"elastic_generate_at=3 is no list"),
        (None, "12", r"elastic_generate_at='12' is no list"),
        (None, [1, 0], r"elastic_generate_at=0 .*at least 1"),
        (None, [1, True], r"elastic_generate_at=True .*whole"),
        (
            3,
            [1, 2],
            r"generate_at=3 is none of elastic_generate_at=\[1, 2\].* generate_at=2 .* add 3 to the list",
        ),
    ],
)
def test_options_that_are_no_places(generate_at, elastic, words):
    with pytest.raises(ValueError, match=words):
        read_places(generate_at, elastic, default=4)


def test_a_model_without_places_takes_no_list():
    refuse_elastic_places(None)
    with pytest.raises(ValueError, match=r"elastic_generate_at=\[1\] has no meaning for a dense model"):
        refuse_elastic_places([1])


@pytest.mark.parametrize(
    ("kinds", "index"),
    [
        (DEIT, 3),
        (("mixer", "semantic", "mixer", "mixer", "refine"), 1),
        (("window", "shifted", "pool", "refine"), 2),
        (("frame", "joint"), None),  # dense
        (("window", "semantic", "local", "refine", "recover") * 2, None),  # several units
        (("window", "semantic", "local", "refine", "recover"), None),  # one unit, whose blocks are fixed
        (("semantic", "refine"), None),  # behind nothing
    ],
)
def test_which_reducers_can_be_moved(kinds, index):
    assert reducer_index(kinds) == index


def test_image_blocks_behind_the_reducer_run_among_the_tokens():
    assert run_order(DEIT) == run_order(DEIT, 3) == tuple(enumerate(DEIT))
    expected = ((0, "frame"), (3, "semantic"), (1, "refine"), (2, "refine"), (4, "refine"), (5, "recover"))
    assert run_order(DEIT, 1) == expected
    mixers = ("mixer", "mixer", "semantic", "mixer", "refine")
    assert run_order(mixers, 1) == ((0, "mixer"), (2, "semantic"), (1, "mixer"), (3, "mixer"), (4, "refine"))
    assert run_order(("joint", "frame"), 1) == ((0, "joint"), (1, "frame"))


@pytest.mark.parametrize(("then", "now"), [(1, 3), (3, 1), (2, 2), (0, 4)])
def test_renumbered_blocks_keep_their_order(then, now):
    theirs = ["r" if i == then else f"b{i - (i > then)}" for i in range(5)]
    ours = ["r" if i == now else f"b{i - (i > now)}" for i in range(5)]
    assert [theirs.index(name) for name in ours] == [moved_index(i, then=now, now=then) for i in range(5)]


def test_a_place_lies_behind_an_image_block():
    assert check_place(3, num_image_blocks=3) == 3
    with pytest.raises(ValueError, match=r"generate_at=4 is deeper than the 3 image blocks .*choose 1 to 3"):
        check_place(4, num_image_blocks=3)
    with pytest.raises(ValueError, match="generate_at=0 .*at least 1"):
        check_place(0, num_image_blocks=3)

import pytest

from stvit_video.tokens.plan_text import (
    Stage,
    block_kinds,
    is_slot_kind,
    num_layers,
    parse_level,
    parse_plan,
    reducer_stage,
)
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.reducers.token_reducer import TokenReducer

KNOWN = ", ".join(REDUCERS)


def test_parse():
    assert parse_level("frame*4 semantic*2  refine*6 recover") == (
        Stage("frame", 4),
        Stage("semantic", 2),
        Stage("refine", 6),
        Stage("recover", 1),
    )


def test_units_may_repeat():
    assert len(parse_level("joint semantic*2 refine recover joint semantic*2 local refine")) == 8


def test_levels_of_a_pyramid():
    assert parse_plan("window shifted|mixer*3 pool mixer*2 refine | refine*2") == (
        (Stage("window", 1), Stage("shifted", 1)),
        (Stage("mixer", 3), Stage("pool", 1), Stage("mixer", 2), Stage("refine", 1)),
        (Stage("refine", 2),),
    )
    assert parse_plan("joint*2") == (parse_level("joint*2"),)


@pytest.mark.parametrize("reducer", ["random", "pool", "tome"])
def test_reducers_without_weights_are_blocks_without_layers(reducer):
    stages = parse_level(f"frame*2 {reducer} refine*3 recover")
    assert block_kinds(stages) == ("frame", "frame", reducer, "refine", "refine", "refine", "recover")
    assert num_layers(stages) == 6


def test_a_generator_is_one_module_of_two_layers():
    stages = parse_level("window semantic*2 local refine recover")
    assert block_kinds(stages) == ("window", "semantic", "local", "refine", "recover")
    assert num_layers(stages) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty plan"),
        ("  ", "empty plan"),
        ("joint | joint", r"'joint \| joint' has 2 levels"),
        ("frames*4", r"'frames\*4' is no stage .*kind\*depth.* frame, joint"),
        ("frame*0", r"'frame\*0' is no stage"),
        ("frame*-1", r"'frame\*-1' is no stage"),
        ("frame*2 semantic*3", "semantic has 3 .*exactly 2"),
        ("frame*2 pool*2", "pool has 2 .*exactly 1"),
        (
            "frame*2 refine*2",  # the whole sentence, once for its family
            rf"^plan 'frame\*2 refine\*2' can't run: refine needs one of {KNOWN} before it; "
            r"for example frame\*4 semantic\*2 refine\*6$",
        ),
        ("frame*2 local", "local needs .*semantic, random, pool, tome.* before"),
        ("frame recover", "recover needs .*semantic, random, pool, tome.* before"),
        ("frame semantic*2 joint", "joint can't follow few tokens.* refine, local, mixer or recover"),
        ("frame semantic*2 pool refine", "pool can't follow few tokens"),
        ("window tome shifted", "shifted can't follow few tokens"),
        ("joint*2 frame", "frame blocks .*before .*mixes frames"),
        ("frame semantic*2 recover frame", "frame blocks .*before .*mixes frames"),
    ],
)
def test_schedules_that_make_no_sense(text, message):
    with pytest.raises(ValueError, match=message):
        parse_level(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' .*part without blocks"),
        ("window | | window", r"'window \| \| window' .*part without blocks"),
        ("window semantic*2 refine | window", "window can't follow few tokens"),
        ("window semantic*2 refine | local", "local needs .*semantic.* same level"),
        ("window pool refine | recover", "recover needs .*semantic.* same level"),
    ],
)
def test_plans_that_make_no_sense(text, message):
    with pytest.raises(ValueError, match=message):
        parse_plan(text)


def test_mixers_run_among_image_tokens_and_few_tokens():
    assert block_kinds(parse_level("mixer semantic*2 mixer recover mixer"))[-1] == "mixer"


@pytest.mark.parametrize(("layers", "stage"), [(0, "strange_one"), (1, "strange_one*1"), (3, "strange_one*3")])
def test_a_plan_asks_the_class_for_its_layers(monkeypatch, layers, stage):
    class Strange(TokenReducer):
        num_layers = layers

    monkeypatch.setitem(REDUCERS, "strange_one", Strange)
    assert reducer_stage("strange_one") == stage
    stages = parse_level(f"frame {stage} refine*2")
    assert block_kinds(stages) == ("frame", "strange_one", "refine", "refine")
    assert num_layers(stages) == 3 + layers
    with pytest.raises(ValueError, match=f"strange_one has 4 blocks; it takes exactly {max(layers, 1)}"):
        parse_level("frame strange_one*4 refine")


def test_kinds_that_dense_models_lack():
    assert [is_slot_kind(kind) for kind in ("semantic", "pool", "refine", "local", "recover")] == [True] * 5
    assert [is_slot_kind(kind) for kind in ("frame", "joint", "window", "shifted", "mixer")] == [False] * 5

import numpy as np
import pytest

from stvit_video.tokens.plan_text import num_layers, parse_level, parse_plan
from stvit_video.tokens.plans import casvit_plan, check_reducer, deit_plan, swin_plan

DEPTHS = (2, 3, 6, 2)
WEIGHTLESS = ["random", "pool", "tome"]


@pytest.mark.parametrize(
    ("base_attention", "generate_at", "reducer", "expected"),
    [
        ("frame", 4, "semantic", "frame*4 generate*2 refine*6"),
        ("joint", 9, "semantic", "joint*9 generate*2 refine*1"),
        ("frame", 4, "tome", "frame*4 tome refine*8"),
        ("joint", 4, "none", "joint*12"),
        ("frame", 4, "none", "frame*4 joint*8"),
        ("frame", 12, "none", "frame*12"),
    ],
)
def test_deit_plans(base_attention, generate_at, reducer, expected):
    plan = deit_plan(depth=12, base_attention=base_attention, generate_at=generate_at, reducer=reducer)
    assert plan == expected
    assert num_layers(parse_level(plan)) == 12


@pytest.mark.parametrize("reducer", ["semantic", *WEIGHTLESS])
def test_deit_plans_with_recovery(reducer):
    plan = deit_plan(depth=12, base_attention="frame", generate_at=8, reducer=reducer, recover=True)
    assert plan.split()[-2:] == (["refine*1", "recover"] if reducer == "semantic" else ["refine*3", "recover"])
    assert num_layers(parse_level(plan)) == 12


@pytest.mark.parametrize("generate_at", [10, 12])
def test_generation_needs_blocks_on_both_sides(generate_at):
    with pytest.raises(ValueError, match=f"generate_at={generate_at} .*depth=12.* 1 to 9"):
        deit_plan(depth=12, base_attention="frame", generate_at=generate_at, reducer="semantic")
    with pytest.raises(ValueError, match=f"generate_at={generate_at} .*recovery 1.* 1 to 8"):
        deit_plan(depth=12, base_attention="frame", generate_at=generate_at, reducer="semantic", recover=True)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_generation_needs_four_blocks(depth):
    with pytest.raises(ValueError, match=rf"^depth={depth} .*few.* at least 4\b"):
        deit_plan(depth=depth, base_attention="frame", generate_at=4, reducer="semantic")


def test_recovery_needs_a_fifth():
    message = (  # the whole sentence, once for its family
        "^depth=4 is too few blocks for semantic tokens; "
        "give at least 5: 1 before generation, 2 of generation, 1 of recovery and 1 after it$"
    )
    with pytest.raises(ValueError, match=message):
        deit_plan(depth=4, base_attention="frame", generate_at=1, reducer="semantic", recover=True)


@pytest.mark.parametrize(("option", "value"), [("depth", 0), ("depth", 2.0), ("generate_at", 0), ("generate_at", None)])
def test_numbers_of_blocks_are_whole(option, value):
    numbers = {"depth": 12, "generate_at": 4, option: value}
    with pytest.raises(ValueError, match=f"{option}={value} .*at least 1"):
        deit_plan(base_attention="frame", reducer="none", **numbers)


def test_unknown_options():
    with pytest.raises(ValueError, match='base_attention=\'time\' .*"frame" or "joint"'):
        deit_plan(depth=3, base_attention="time", generate_at=1, reducer="none")
    # the whole sentence, once for its family
    message = '^reducer=\'mean\' is unknown; choose one of "semantic", "random", "pool", "tome", "none"$'
    with pytest.raises(ValueError, match=message):
        deit_plan(depth=3, base_attention="frame", generate_at=1, reducer="mean")
    with pytest.raises(ValueError, match=message):
        swin_plan(depths=DEPTHS, generate_at=1, reducer="mean")
    with pytest.raises(ValueError, match=message):
        casvit_plan(depths=DEPTHS, generate_at=1, reducer="mean", joint=True)
    assert check_reducer("tome") == "tome"


def test_dense_swin_alternates_windows_from_every_level_on():
    plan = swin_plan(depths=(2, 3, 1), generate_at=99, reducer="none")
    assert plan == "window shifted | window shifted window | window"


def test_swin_with_semantic_tokens():
    plan = swin_plan(depths=DEPTHS, generate_at=np.int64(3), reducer="semantic")
    assert plan == "window shifted | window shifted window | window shifted window generate*2 refine*1 | refine*2"


def test_swin_with_recovery_is_made_of_units():
    unit = "window generate*2 local refine recover"
    for num_units in (1, 3):
        plan = swin_plan(depths=(2, 2, 6 * num_units, 2), generate_at=1, reducer="semantic", recover=True)
        assert plan == f"window shifted | window shifted | {' '.join([unit] * num_units)} | window shifted"
        assert [sum(s.depth for s in level) for level in parse_plan(plan)] == [2, 2, 6 * num_units, 2]


def test_casvit_plans():
    dense = casvit_plan(depths=DEPTHS, generate_at=1, reducer="none", joint=True)
    assert dense == "mixer*2 | mixer*3 | mixer*6 | mixer*2"
    plan = casvit_plan(depths=DEPTHS, generate_at=1, reducer="semantic", joint=False)
    assert plan == "mixer*2 | mixer*3 | mixer*1 generate*2 mixer*3 | mixer*2"
    plan = casvit_plan(depths=DEPTHS, generate_at=1, reducer="semantic", joint=True, recover=True)
    assert plan == "mixer*2 | mixer*3 | mixer*1 generate*2 mixer*3 refine recover | mixer*2"
    plan = casvit_plan(depths=(2, 2, 4, 2), generate_at=1, reducer="semantic", joint=True)
    assert plan == "mixer*2 | mixer*2 | mixer*1 generate*2 mixer*1 refine | mixer*2"


@pytest.mark.parametrize("reducer", WEIGHTLESS)
def test_reducers_without_weights_leave_as_many_layers(reducer):
    plans = [
        swin_plan(depths=DEPTHS, generate_at=2, reducer=reducer),
        casvit_plan(depths=DEPTHS, generate_at=2, reducer=reducer, joint=True),
        casvit_plan(depths=DEPTHS, generate_at=2, reducer=reducer, joint=False),
    ]
    assert plans[0].split(" | ")[2:] == [f"window shifted {reducer} refine*4", "refine*2"]
    assert plans[1].split(" | ")[2:] == [f"mixer*2 {reducer} mixer*4 refine", "mixer*2"]
    with_joint = [depth + (level == 2) for level, depth in enumerate(DEPTHS)]
    counts = [[num_layers(level) for level in parse_plan(plan)] for plan in plans]
    assert counts == [list(DEPTHS), with_joint, list(DEPTHS)]


def plan_of(family, **options):
    wanted = {"depths": DEPTHS, "generate_at": 1, "reducer": "semantic", **options}
    return swin_plan(**wanted) if family == "swin" else casvit_plan(joint=True, **wanted)


@pytest.mark.parametrize("family", ["swin", "casvit"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depths": (2, 6)}, r"^depths=\(2, 6\) .*2 levels.* at least 3\b"),
        ({"depths": (2, 0, 6, 2)}, r"depths=\(2, 0, 6, 2\) .*each axis"),
        ({"depths": 6}, "depths=6 .*each axis"),
        ({"depths": (2, 2, 3, 2)}, r"^level 3 of depths=\(2, 2, 3, 2\) .*few.* at least 4\b"),
        ({"generate_at": 4}, r"^generate_at=4 .*level 3 of depths=\(2, 3, 6, 2\).* 1 to 3$"),
        ({"generate_at": 0}, "generate_at=0 .*at least 1"),
        ({"generate_at": 2.0}, "generate_at=2.0 .*at least 1"),
    ],
)
def test_options_that_do_not_fit_a_pyramid(family, options, message):
    with pytest.raises(ValueError, match=message):
        plan_of(family, **options)


def test_recovery_that_does_not_fit_swin():
    with pytest.raises(ValueError, match=r"depths=\(2, 2, 7, 2\) .*level 3.* multiple of 6\b"):
        swin_plan(depths=(2, 2, 7, 2), generate_at=1, reducer="semantic", recover=True)
    with pytest.raises(ValueError, match="reducer='pool' .*recovered.* reducer=\"semantic\""):
        swin_plan(depths=DEPTHS, generate_at=1, reducer="pool", recover=True)


def test_a_dense_plan_has_nothing_to_recover_from():
    options = {"generate_at": 1, "reducer": "none", "recover": True}
    with pytest.raises(ValueError, match='reducer="none" .*recover from'):
        deit_plan(depth=5, base_attention="frame", **options)
    with pytest.raises(ValueError, match='reducer="none" .*recover from'):
        swin_plan(depths=(2, 2, 6, 2), **options)
    with pytest.raises(ValueError, match='reducer="none" .*recover from'):
        casvit_plan(depths=(2, 2, 4, 2), joint=False, **options)

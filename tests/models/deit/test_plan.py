import pytest

from stvit_video.models.deit.plan import deit_plan
from stvit_video.tokens.plan_text import num_layers, parse_level

WEIGHTLESS = ["random", "pool", "tome"]


@pytest.mark.parametrize(
    ("base_attention", "generate_at", "reducer", "expected"),
    [
        ("frame", 4, "semantic", "frame*4 semantic*2 refine*6"),
        ("joint", 9, "semantic", "joint*9 semantic*2 refine*1"),
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
    with pytest.raises(ValueError, match=f"generate_at={generate_at} .*recovery takes 1.* 1 to 8"):
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


def test_a_reducer_without_weights_leaves_its_layers_to_refine_blocks():
    options = {"base_attention": "frame", "reducer": "pool"}
    assert deit_plan(depth=2, generate_at=1, **options) == "frame*1 pool refine*1"
    assert deit_plan(depth=12, generate_at=11, **options) == "frame*11 pool refine*1"
    with pytest.raises(ValueError, match="^generate_at=12 does not fit depth=12; choose 1 to 11$"):
        deit_plan(depth=12, generate_at=12, **options)
    with pytest.raises(ValueError, match="^depth=1 is too few .* at least 2: 1 before generation and 1 after it$"):
        deit_plan(depth=1, generate_at=1, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base_attention": "time"}, 'base_attention=\'time\' .*"frame" or "joint"'),
        ({"reducer": "mean"}, "reducer='mean' .*unknown.*\"none\""),
        ({"reducer": "none", "recover": True}, 'reducer="none" .*recover from'),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        deit_plan(**{"depth": 5, "base_attention": "frame", "generate_at": 1, "reducer": "none", **options})

import pytest

from stvit_video.tokens.schedule import Stage, deit_schedule, parse_schedule


def test_parse():
    assert parse_schedule("frame*4 generate*2  refine*6 recover") == (
        Stage("frame", 4),
        Stage("generate", 2),
        Stage("refine", 6),
        Stage("recover", 1),
    )


def test_units_may_repeat():
    assert len(parse_schedule("joint generate*2 refine recover joint generate*2 refine")) == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty schedule has no blocks"),
        (
            "frames*4",
            r"'frames\*4' is no stage of a schedule; write kind\*depth with kind one of frame, joint",
        ),
        ("frame*0", r"'frame\*0' is no stage"),
        ("frame*-1", r"'frame\*-1' is no stage"),
        ("frame*2 generate*3", "generate has 3 blocks; it takes exactly 2"),
        ("frame*2 refine*2", "refine needs generate before it"),
        ("frame generate*2 joint", "only refine or recover may follow generate"),
        ("joint*2 frame", "frame blocks come before anything that mixes frames; use joint blocks there"),
        ("frame generate*2 recover frame", "frame blocks come before anything that mixes frames"),
    ],
)
def test_plans_that_make_no_sense(text, message):
    with pytest.raises(ValueError, match=message):
        parse_schedule(text)


@pytest.mark.parametrize(
    ("base_attention", "generate_at", "reducer", "expected"),
    [
        ("frame", 4, "semantic", "frame*4 generate*2 refine*6"),
        ("joint", 9, "semantic", "joint*9 generate*2 refine*1"),
        ("joint", 4, "none", "joint*12"),
        ("frame", 4, "none", "frame*4 joint*8"),
        ("frame", 12, "none", "frame*12"),
    ],
)
def test_deit_plans(base_attention, generate_at, reducer, expected):
    plan = deit_schedule(depth=12, base_attention=base_attention, generate_at=generate_at, reducer=reducer)
    assert plan == expected
    assert sum(stage.depth for stage in parse_schedule(plan)) == 12


@pytest.mark.parametrize("generate_at", [10, 12])
def test_generation_needs_blocks_on_both_sides(generate_at):
    with pytest.raises(ValueError, match=f"generate_at={generate_at} does not fit depth=12; .* choose 1 to 9"):
        deit_schedule(depth=12, base_attention="frame", generate_at=generate_at, reducer="semantic")


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_generation_needs_four_blocks(depth):
    with pytest.raises(
        ValueError, match=f"depth={depth} is too few .* give at least 4: 1 before .*, 2 of .* and 1 after"
    ):
        deit_schedule(depth=depth, base_attention="frame", generate_at=4, reducer="semantic")


@pytest.mark.parametrize(("option", "value"), [("depth", 0), ("depth", 2.0), ("generate_at", 0), ("generate_at", None)])
def test_numbers_of_blocks_are_whole(option, value):
    numbers = {"depth": 12, "generate_at": 4, option: value}
    with pytest.raises(ValueError, match=f"{option}={value} is not possible; give a whole number, at least 1"):
        deit_schedule(base_attention="frame", reducer="none", **numbers)


def test_unknown_options():
    with pytest.raises(ValueError, match='base_attention=\'time\' is unknown; choose "frame" or "joint"'):
        deit_schedule(depth=3, base_attention="time", generate_at=1, reducer="none")
    with pytest.raises(ValueError, match='reducer=\'mean\' is unknown; choose "semantic" or "none"'):
        deit_schedule(depth=3, base_attention="frame", generate_at=1, reducer="mean")

import pytest

from stvit_video.models.casvit.plan import casvit_plan
from stvit_video.tokens.plan_text import num_layers, parse_plan

DEPTHS = (2, 3, 6, 2)


def test_casvit_plans():
    dense = casvit_plan(depths=DEPTHS, generate_at=1, reducer="none", joint=True)
    assert dense == "mixer*2 | mixer*3 | mixer*6 | mixer*2"
    plan = casvit_plan(depths=DEPTHS, generate_at=1, reducer="semantic", joint=False)
    assert plan == "mixer*2 | mixer*3 | mixer*1 semantic*2 mixer*3 | mixer*2"
    plan = casvit_plan(depths=DEPTHS, generate_at=1, reducer="semantic", joint=True, recover=True)
    assert plan == "mixer*2 | mixer*3 | mixer*1 semantic*2 mixer*3 refine recover | mixer*2"
    plan = casvit_plan(depths=(2, 2, 4, 2), generate_at=1, reducer="semantic", joint=True)
    assert plan == "mixer*2 | mixer*2 | mixer*1 semantic*2 mixer*1 refine | mixer*2"


@pytest.mark.parametrize("reducer", ["random", "pool", "tome"])
def test_reducers_without_weights_leave_as_many_layers(reducer):
    for joint in (True, False):
        plan = casvit_plan(depths=DEPTHS, generate_at=2, reducer=reducer, joint=joint)
        assert plan.split(" | ")[2:] == [f"mixer*2 {reducer} mixer*4{' refine' * joint}", "mixer*2"]
        expected = [depth + (joint and level == 2) for level, depth in enumerate(DEPTHS)]
        assert [num_layers(level) for level in parse_plan(plan)] == expected


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
        ({"reducer": "mean"}, "reducer='mean' .*unknown.*\"none\""),
        ({"reducer": "none", "recover": True}, 'reducer="none" .*recover from'),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        casvit_plan(**{"depths": DEPTHS, "generate_at": 1, "reducer": "semantic", "joint": True, **options})

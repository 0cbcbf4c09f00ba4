import numpy as np
import pytest

from stvit_video.models.swin.plan import swin_plan
from stvit_video.tokens.plan_text import num_layers, parse_plan, reducer_stage
from stvit_video.tokens.reducers.pool import PoolReducer
from stvit_video.tokens.reducers.reducer_names import REDUCERS

DEPTHS = (2, 3, 6, 2)


def test_dense_swin_alternates_windows_from_every_level_on():
    plan = swin_plan(depths=(2, 3, 1), generate_at=99, reducer="none")
    assert plan == "window shifted | window shifted window | window"


def test_swin_with_semantic_tokens():
    plan = swin_plan(depths=DEPTHS, generate_at=np.int64(3), reducer="semantic")
    assert plan == "window shifted | window shifted window | window shifted window semantic*2 refine*1 | refine*2"


def test_swin_with_recovery_is_made_of_units():
    unit = "window semantic*2 local refine recover"
    for num_units in (1, 3):
        plan = swin_plan(depths=(2, 2, 6 * num_units, 2), generate_at=1, reducer="semantic", recover=True)
        assert plan == f"window shifted | window shifted | {' '.join([unit] * num_units)} | window shifted"
        assert [sum(s.depth for s in level) for level in parse_plan(plan)] == [2, 2, 6 * num_units, 2]


@pytest.mark.parametrize("reducer", ["random", "pool", "tome", "token_learner"])
def test_units_have_as_many_layers_with_every_reducer(reducer):
    plan = swin_plan(depths=(2, 2, 12, 2), generate_at=1, reducer=reducer, recover=True)
    unit = f"window {reducer_stage(reducer)} local refine*{3 - REDUCERS[reducer].num_layers} recover"
    assert plan.split(" | ")[2] == f"{unit} {unit}"
    assert [num_layers(level) for level in parse_plan(plan)] == [2, 2, 12, 2]


def test_a_reducer_of_more_layers_than_a_unit_has_room_for(monkeypatch):
    class Deep(PoolReducer):
        num_layers = 3

    monkeypatch.setitem(REDUCERS, "deep", Deep)
    with pytest.raises(ValueError, match="reducer='deep' .*recovered from.* 2 layers.*semantic or random or pool"):
        swin_plan(depths=(2, 2, 6, 2), generate_at=1, reducer="deep", recover=True)


@pytest.mark.parametrize("reducer", ["random", "pool", "tome"])
def test_reducers_without_weights_leave_as_many_layers(reducer):
    plan = swin_plan(depths=DEPTHS, generate_at=2, reducer=reducer)
    assert plan.split(" | ")[2:] == [f"window shifted {reducer} refine*4", "refine*2"]
    assert [num_layers(level) for level in parse_plan(plan)] == list(DEPTHS)


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
        ({"depths": (2, 2, 7, 2), "recover": True}, r"depths=\(2, 2, 7, 2\) .*level 3.* multiple of 6\b"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        swin_plan(**{"depths": DEPTHS, "generate_at": 1, "reducer": "semantic", **options})

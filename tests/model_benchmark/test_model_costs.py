"""Costs by name: which models are picked, and what is counted."""

import pytest

from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters
from stvit_video.evaluation.cost.published import PUBLISHED
from stvit_video.layers import attention
from stvit_video.model_benchmark.model_costs import choose_names, measure_cost, measure_costs
from stvit_video.models import create_model, list_models


def test_names_and_patterns():
    assert choose_names([]) == list_models()
    assert choose_names(["deit_tiny"]) == ["deit_tiny"]
    assert choose_names(["stvit_*deit_tiny", "deit_tiny", "deit_*"])[:5] == [
        "stvit_deit_tiny",
        "stvit_r_deit_tiny",
        "stvit_r_video_deit_tiny",
        "stvit_video_deit_tiny",
        "deit_tiny",
    ]
    assert len(choose_names(["*", "deit_tiny"])) == len(list_models())


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (["deit_tyni"], "no model .*'deit_tyni', .*'deit_tiny'"),
        (["deit_tiny", "*_giant"], r"no model.* matches '\*_giant'; .*deit_base, deit_small"),
    ],
)
def test_names_that_no_model_has(patterns, message):
    with pytest.raises(ValueError, match=message):
        choose_names(patterns)


def test_a_cost_is_that_of_the_built_model():
    cost = measure_cost("stvit_video_deit_tiny", image_size=(48, 64), num_frames=4, num_tokens=(1, 2, 3))
    model = create_model("stvit_video_deit_tiny", image_size=(48, 64), num_frames=4, num_tokens=(1, 2, 3))
    assert cost.input_size == (4, 48, 64)
    assert cost.num_parameters == count_parameters(model)
    assert cost.gmacs == count_gmacs(model, (3, 4, 48, 64))
    assert cost.tokens == (2 * 3 * 4, 6)
    assert cost.published is None


@pytest.mark.parametrize("name", sorted(name for name, figures in PUBLISHED.items() if len(figures.input_size) == 2))
def test_published_figures_within_one_percent(name, monkeypatch):
    """The published models form keys and values for few queries, too."""
    monkeypatch.setattr(attention, "unprojected_is_cheaper", lambda *_, **__: False)
    cost = measure_cost(name)
    with_head = {"distillation": True} if PUBLISHED[name].note else {}
    assert cost.published is PUBLISHED[name]
    assert cost.gmacs == pytest.approx(PUBLISHED[name].gmacs, rel=0.01)
    millions = count_parameters(create_model(name, **with_head)) / 1e6 if with_head else cost.num_parameters / 1e6
    assert millions == pytest.approx(PUBLISHED[name].parameters_millions, rel=0.01)


def test_rows_stand_by_family_beside_their_dense_model():
    names = ["stvit_video_deit_tiny", "stvit_r_deit_tiny", "deit_tiny", "stvit_deit_tiny", "stvit_deit_small"]
    costs = measure_costs(names, image_size=(48, 48), num_frames=4, num_tokens=4)
    assert [cost.name for cost in costs] == [
        "deit_tiny",
        "stvit_deit_tiny",
        "stvit_r_deit_tiny",
        "stvit_deit_small",
        "stvit_video_deit_tiny",
    ]
    assert costs[0].dense_gmacs is None
    assert costs[1].dense_gmacs == costs[2].dense_gmacs == costs[0].gmacs
    assert costs[4].dense_gmacs == measure_cost("video_deit_tiny", image_size=(48, 48), num_frames=4).gmacs
    assert all(cost.gmacs < cost.dense_gmacs for cost in costs[1:])
    assert [cost.tokens for cost in costs] == [(9,), (9, 4), (9, 4, 9), (9, 4), (18, 4)]


def test_published_figures_stand_beside_ours_for_their_settings_alone():
    assert measure_cost("deit_tiny").published == PUBLISHED["deit_tiny"]
    assert measure_cost("deit_tiny", num_tokens=4).published == PUBLISHED["deit_tiny"]  # dense: no tokens to choose
    assert measure_cost("deit_tiny", image_size=(32, 32)).published is None


def test_a_refusal_names_the_model():
    with pytest.raises(ValueError, match="^stvit_deit_tiny: num_tokens=10 .*9 image tokens"):
        measure_cost("stvit_deit_tiny", image_size=(48, 48), num_tokens=10)

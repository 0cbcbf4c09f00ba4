"""What every model promises with every reducer that goes with it: a new reducer is tested here by its name alone."""

import pytest
import torch

from stvit_video.models import create_model, load_checkpoint
from stvit_video.models.parameter_groups import layer_depths, learned_reducers, num_layers, slot_parameters
from stvit_video.models.swin.plan import RECOVERY_UNIT, UNIT_REDUCER_LAYERS
from stvit_video.tokens.plans import check_reducer
from stvit_video.tokens.reducers.pool import PoolReducer
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.training.freezing import freeze_all_but

CLIPS = {"num_frames": 4, "num_classes": 3}
SMALL = {
    "video_deit_tiny": {"embed_dim": 12, "num_heads": 2, "depth": 6, "image_size": (32, 48), "patch_size": 8, **CLIPS},
    "video_swin_tiny": {"embed_dim": 8, "num_heads": (1, 2, 2, 4), "depths": (1, 1, 4, 1), "image_size": 64, **CLIPS},
    "video_casvit_xs": {"embed_dims": (8, 8, 16, 16), "depths": (1, 1, 4, 1), "image_size": 64, **CLIPS},
}


def works(name, reducer):
    try:
        return check_reducer(reducer, family=name.split("_")[1]) == reducer
    except ValueError:
        return False


PAIRS = [(name, reducer) for name in SMALL for reducer in REDUCERS if works(name, reducer)]


def build(name, reducer, **options):
    torch.manual_seed(0)
    return create_model(f"stvit_{name}", reducer=reducer, generate_at=1, **SMALL[name], **options)


def clips(name, batch=2):
    sizes = SMALL[name]["image_size"]
    return torch.randn(batch, 3, 4, *(sizes if isinstance(sizes, tuple) else (sizes, sizes)))


@pytest.mark.parametrize(("name", "reducer"), PAIRS)
def test_layers_are_as_many_as_with_semantic_tokens_and_each_has_weights(name, reducer):
    model = build(name, reducer)
    depths = layer_depths(model)
    assert num_layers(model) == num_layers(build(name, "semantic"))
    assert set(depths.values()) == set(range(num_layers(model) + 2))
    place = next(key for key, module in model.named_modules() if module is model.reducers()[0])
    own = {depth for key, depth in depths.items() if key.startswith(f"{place}.")}
    assert len(own) == REDUCERS[reducer].num_layers


@pytest.mark.parametrize(("name", "reducer"), PAIRS)
def test_the_semantic_part_trains_what_the_reducer_has(name, reducer):
    model = build(name, reducer)
    in_reducers = {
        f"{key}.{rest}"
        for key, module in model.named_modules()
        if module in model.reducers()
        for rest, _ in module.named_parameters()
    }
    assert bool(in_reducers) == (reducer in learned_reducers())
    assert in_reducers <= slot_parameters(model)
    if not in_reducers:
        return
    freeze_all_but(model, "semantic")
    trained = [p for p in model.parameters() if p.requires_grad]
    x, target = clips(name, batch=3), torch.tensor([0, 1, 2])
    optimizer, losses = torch.optim.Adam(trained, lr=1e-2), []
    for _ in range(8):
        loss = torch.nn.functional.cross_entropy(model.train()(x), target)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("name", "reducer"), PAIRS)
def test_weights_come_back_and_dense_weights_fit(name, reducer):
    model, again = build(name, reducer).eval(), build(name, reducer).eval()
    dense = create_model(name, **SMALL[name])
    report = load_checkpoint(again, dense.state_dict())
    used = {*report.loaded, *report.new, *report.inflated, *report.interpolated}
    assert used == set(again.state_dict())
    load_checkpoint(again, model.state_dict())
    x = clips(name)
    assert torch.equal(again(x), model(x))


@pytest.mark.parametrize(("name", "reducer"), PAIRS)
def test_another_number_of_tokens_works_or_is_refused(name, reducer):
    model = build(name, reducer).eval()
    before = model.token_grid
    other = tuple(min(2 * size, whole) for size, whole in zip(before.sizes, model.grid.sizes, strict=True))
    assert other != before.sizes
    if REDUCERS[reducer].runs_at_any_count:
        model.set_num_tokens(other)
        assert model(clips(name)).shape == (2, 3)
        build(name, reducer, elastic=[before.sizes, other])
    else:
        for refused in (lambda: model.set_num_tokens(other), lambda: build(name, reducer, elastic=[other])):
            with pytest.raises(ValueError, match="token grid .*is not possible: the weights of .*num_tokens="):
                refused()
        assert model.token_grid == before


def build_recovering(name, reducer):
    """The model with recovery, small; a Swin's is made of units of fixed size."""
    own = {"depths": (1, 1, RECOVERY_UNIT, 1)} if name == "video_swin_tiny" else {"generate_at": 1}
    torch.manual_seed(0)
    return create_model(f"stvit_r_{name}", reducer=reducer, **SMALL[name] | own)


@pytest.mark.parametrize(("name", "reducer"), PAIRS)
def test_image_tokens_come_back_or_recovery_is_refused(name, reducer):
    has_room = name != "video_swin_tiny" or REDUCERS[reducer].num_layers <= UNIT_REDUCER_LAYERS
    if not REDUCERS[reducer].can_recover or not has_room:
        with pytest.raises(ValueError, match=f"reducer='{reducer}' can't be recovered from"):
            build_recovering(name, reducer)
        return
    model, again, x = build_recovering(name, reducer), build_recovering(name, reducer).eval(), clips(name)
    assert len(model.reducers()) == 1
    model(x).square().sum().backward()
    assert [key for key, value in model.named_parameters() if value.grad is None] == []
    load_checkpoint(again, model.state_dict())
    assert torch.equal(again(x), model.eval()(x))
    dense = create_model(name, **SMALL[name])
    assert model.forward_tokens(x).shape[1] == model.tokens_per_level()[-1] == dense.tokens_per_level()[-1]


def test_families_that_a_reducer_does_not_go_with(monkeypatch):
    class OnlyDeit(PoolReducer):
        families = ("deit",)

    monkeypatch.setitem(REDUCERS, "only_deit", OnlyDeit)
    assert build("video_deit_tiny", "only_deit")(clips("video_deit_tiny")).shape == (2, 3)
    refused = [(name, reducer) for name in SMALL for reducer in REDUCERS if not works(name, reducer)]
    assert {("video_swin_tiny", "only_deit"), ("video_casvit_xs", "only_deit")} <= set(refused)
    for name, reducer in refused:
        with pytest.raises(ValueError, match=f"reducer='{reducer}' does not work in {name.split('_')[1]} models"):
            build(name, reducer)

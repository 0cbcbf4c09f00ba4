import pytest
import torch

from stvit_video.models import create_model
from stvit_video.models.swin.windowed import check_recover_window, check_windowed
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.recover import TokenRecovery
from stvit_video.tokens.reducers.random import RandomReducer
from stvit_video.tokens.slot import TokenSlot

BOTH = {"center_window": (21, 21), "recover_window": (27, 27)}
OF_A_MODEL = {"video": False, "recover": True, "reducer": "semantic"}
LITTLE_PYRAMID = {"embed_dim": 8, "depths": (1, 1, 6, 1), "num_heads": (1, 1, 2, 2)}
LITTLE = {"num_classes": 5, "embed_dim": 8, "depths": (1, 1, 6, 1), "num_heads": (1, 1, 2, 2)}


def test_options_that_go_together():
    check_windowed(BOTH, **OF_A_MODEL)
    check_windowed(dict.fromkeys(BOTH), video=True, recover=False, reducer="none")
    for reducer in ("pool", "random", "tome"):
        check_windowed({"center_window": None, "recover_window": (9, 9)}, **{**OF_A_MODEL, "reducer": reducer})


@pytest.mark.parametrize(
    ("windowed", "model", "message"),
    [
        (BOTH, {"video": True}, r"^center_window=\(21, 21\) is for images; leave it out for clips"),
        (BOTH, {"recover": False}, r"^center_window=\(21, 21\) needs .*stvit_r_swin_"),
        ({"recover_window": None}, {}, r"^center_window=\(21, 21\) needs recover_window too.*\(27, 27\)"),
        ({"center_window": None}, {}, r"^recover_window=\(27, 27\) needs center_window too.*\(21, 21\)"),
        (BOTH, {"reducer": "pool"}, "reducer='semantic' alone, not of 'pool'.*recover_window alone"),
        ({"center_window": None}, {"reducer": "token_learner"}, "'token_learner' leaves a fixed number"),
    ],
)
def test_options_that_do_not(windowed, model, message):
    with pytest.raises(ValueError, match=message):
        check_windowed({**BOTH, **windowed}, **{**OF_A_MODEL, **model})


def test_recovery_covers_the_tokens_of_a_window():
    def slot(recover_window):
        grids = {"token_grid": TokenGrid((6, 6)), "image_grid": TokenGrid((14, 14)), "window": (7, 7)}
        return TokenSlot(**grids, recover_window=recover_window)

    for fitting in (None, (3, 3), (27, 27)):
        check_recover_window(slot(fitting))
    check_recover_window(None)
    with pytest.raises(ValueError, match=r"recover_window=\(3, 2\) .*cover window=\(3, 3\)"):
        check_recover_window(slot((3, 2)))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("stvit_r_video_swin_tiny", BOTH, r"center_window=\(21, 21\) is for images"),
        ("stvit_swin_tiny", BOTH, r"center_window=\(21, 21\) needs .*come back"),
        ("swin_tiny", BOTH, r"center_window=\(21, 21\) needs .*come back"),
        ("stvit_r_swin_tiny", {**BOTH, "center_window": (21,)}, r"center_window=\(21,\) .*axes.* \(h, w\)"),
        ("stvit_r_swin_tiny", {**BOTH, "recover_window": 27}, "recover_window=27 .*each axis"),
        ("stvit_r_swin_tiny", {**BOTH, "recover_window": (2, 2)}, r"recover_window=\(2, 2\) .*cover"),
        ("stvit_r_swin_tiny", {**BOTH, "key_window": (6, 7)}, r"key_window=\(6, 7\) .*cover window=\(7, 7\)"),
        ("stvit_r_swin_tiny", {**BOTH, "center_window": (7, 6)}, r"center_window=\(7, 6\) .*cover window=\(7, 7\)"),
    ],
)
def test_models_refuse_them(name, options, message):
    with pytest.raises(ValueError, match=message), torch.device("meta"):
        create_model(name, **{**LITTLE, **options})


def windowed(reducer="semantic", **options):
    """A model whose values hide no part of it: fresh gains are near zero, fresh tables near even."""
    torch.manual_seed(0)
    sizes = {"center_window": (7, 9), "recover_window": (5, 5), "key_window": (5, 7)}
    if reducer != "semantic":
        del sizes["center_window"]
    given = {**LITTLE, **sizes, "image_size": 96, "window_size": (3, 4), "reducer": reducer, **options}
    model = create_model("stvit_r_swin_tiny", **given).eval()
    for key, parameter in model.named_parameters():
        parameter.data += torch.randn_like(parameter) * (1.0 if "table" in key or "gamma" in key else 0.1)
    return model


@pytest.mark.parametrize("reducer", ["semantic", "pool", "random", "tome"])
@pytest.mark.parametrize("size", [(96, 96), (111, 157), (33, 33), (32, 500)])
def test_every_picture_size_has_maps_of_its_own(reducer, size):
    model = windowed(reducer, features_only=True)
    with torch.no_grad():
        maps = model(torch.randn(2, 3, *size))
    for level, found in enumerate(maps):
        assert found.shape == (2, 8 * 2**level, *(-(-side // (4 * 2**level)) for side in size))
        assert found.isfinite().all()


@pytest.mark.parametrize("reducer", ["semantic", "pool", "random"])
def test_every_parameter_gets_a_gradient(reducer):
    model = windowed(reducer).train()
    model(torch.randn(2, 3, 111, 157)).square().sum().backward()
    assert [key for key, p in model.named_parameters() if p.grad is None or p.grad.abs().sum() == 0] == []


@pytest.mark.parametrize("windows", [{}, {"recover_window": (27, 27)}], ids=["global", "windowed"])
@pytest.mark.parametrize("reducer", ["pool", "random"])
def test_a_pyramid_recovered_from_other_reducers_trains_a_step(reducer, windows):
    torch.manual_seed(0)
    model = create_model("stvit_r_swin_tiny", reducer=reducer, features_only=True, **LITTLE_PYRAMID, **windows)
    optimizer, x = torch.optim.AdamW(model.parameters(), lr=1e-3), torch.randn(2, 3, 111, 157)
    losses = []
    for _ in range(2):
        torch.manual_seed(1)  # the same tokens are kept
        maps = model.train()(x)
        losses.append(sum(found.sin().square().mean() for found in maps))
        losses[-1].backward()
        optimizer.step()
    assert [tuple(found.shape[2:]) for found in maps] == [(28, 40), (14, 20), (7, 10), (4, 5)]
    assert [key for key, p in model.named_parameters() if p.grad is None or p.grad.abs().sum() == 0] == []
    assert losses[1] < losses[0]


def test_image_tokens_are_recovered_from_the_kept_ones():
    """Random reduction keeps image tokens as they are; every image token is a query, the kept ones are the context."""
    torch.manual_seed(0)
    model = create_model("stvit_r_swin_tiny", reducer="random", features_only=True, **LITTLE_PYRAMID).eval()
    seen = {}

    def note(module, given, out):
        seen.setdefault(type(module), (given, out))

    for module in model.modules():
        if isinstance(module, (RandomReducer, TokenRecovery)):
            module.register_forward_hook(note)
    with torch.no_grad():
        model(torch.randn(1, 3, 96, 96))
    (tokens,), kept = seen[RandomReducer]
    tokens, kept = tokens.flatten(1, -2)[0], kept.flatten(1, -2)[0]
    assert len(kept) < len(tokens)
    assert all((tokens == one).all(-1).any() for one in kept)
    (queries, context, *_), _ = seen[TokenRecovery]
    assert queries.shape[1] == len(tokens)
    assert context.shape[1] == len(kept)


def test_compiled_to_the_same_maps_in_one_graph():
    model, x = windowed(features_only=True), torch.randn(1, 3, 70, 90)
    with torch.no_grad():
        compiled = torch.compile(model, backend="eager", fullgraph=True)
        for found, expected in zip(compiled(x), model(x), strict=True):
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_recomputed_blocks_have_the_same_gradients():
    model, x = windowed(), torch.randn(1, 3, 111, 157)
    found = []
    for recompute in (False, True):
        model.recompute_blocks(recompute=recompute)
        found.append(torch.autograd.grad(model.train()(x).square().sum(), list(model.parameters())))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_counts_of_tokens_may_change():
    model, x = windowed(elastic=[(2, 4), (4, 6)], num_tokens=(2, 4)), torch.randn(1, 3, 111, 157)
    before = model(x)
    model.set_num_tokens((4, 6))
    assert not torch.equal(model(x), before)
    model.set_num_tokens((2, 4))
    torch.testing.assert_close(model(x), before)

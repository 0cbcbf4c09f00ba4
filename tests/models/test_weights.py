import pytest
import torch
from torch.nn import functional as F

from stvit_video.models.weights import CheckpointError, PositionGrid, check_keys, own_tensors, resized_tables, some


def test_own_tensors_of_a_state_dict_and_of_a_training():
    one, two = torch.zeros(1), torch.ones(2)
    assert own_tensors({"a": one}) == ("stvit_video state dict", {"a": one})
    training = {"state_dict": {"model.a": one, "top1.total": two}, "epoch": 3}
    assert own_tensors(training) == ("stvit_video checkpoint", {"a": one})
    assert own_tensors({"state_dict": {"a": one}}) == ("stvit_video checkpoint", {"a": one})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state_dict": 5}, "the checkpoint's 'state_dict' is of type int; it must be a dictionary of tensors"),
        ({"state_dict": None}, "'state_dict' is of type NoneType"),
        (
            {"state_dict": {}},
            "the checkpoint's 'state_dict' holds nothing; give a dictionary from the names of weights",
        ),
        ({"state_dict": {"model.a": "text"}}, r"holds 1 entries that are no named tensors: 'a' \(str\); give"),
        ({"a": torch.zeros(1), "epoch": 3, 4: torch.zeros(1)}, r"tensors: 'epoch' \(int\), 4 \(Tensor\)"),
    ],
)
def test_contents_that_are_no_tensors(content, message):
    with pytest.raises(CheckpointError, match=message):
        own_tensors(content)


def test_positions_are_resized_behind_the_class_row():
    table, target = torch.randn(1, 1 + 3 * 5, 7), torch.zeros(1, 1 + 4 * 6, 7)
    tables = resized_tables(
        {"pos_embed": table},
        {"pos_embed": target},
        grid_then=PositionGrid((3, 5), 1),
        grid_now=PositionGrid((4, 6), 1),
    )
    image = table[:, 1:].reshape(1, 3, 5, 7).permute(0, 3, 1, 2)
    expected = F.interpolate(image, size=(4, 6), mode="bicubic").permute(0, 2, 3, 1).reshape(1, 24, 7)
    torch.testing.assert_close(tables["pos_embed"], torch.cat([table[:, :1], expected], dim=1))


def test_grids_of_as_many_rows_are_still_other_grids():
    state = {"pos_embed": torch.randn(1, 6, 3)}
    grids = {"grid_then": PositionGrid((2, 3), 0), "grid_now": PositionGrid((3, 2), 0)}
    resized = resized_tables(state, state, **grids)["pos_embed"]
    assert resized.shape == (1, 6, 3)
    assert not torch.equal(resized, state["pos_embed"])


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (None, PositionGrid((2, 4), 1)),
        (PositionGrid((2, 3), 1), None),
        (PositionGrid((2, 3), 0), PositionGrid((2, 4), 1)),
        (PositionGrid((2, 3), 1), PositionGrid((2, 2, 2), 1)),
        (PositionGrid((5, 7), 1), PositionGrid((2, 4), 1)),
    ],
)
def test_positions_are_left_where_the_grid_is_not_known_or_of_another_kind(then, now):
    state, wanted = {"pos_embed": torch.zeros(1, 7, 3)}, {"pos_embed": torch.zeros(1, 9, 3)}
    assert resized_tables(state, wanted, grid_then=then, grid_now=now) == {}


def test_tables_that_tell_their_grid_are_resized_without_more():
    state = {"temporal_pos_embed": torch.tensor([0.0, 10.0]).view(1, 2, 1), "blocks.1.centres": torch.ones(1, 2, 3, 5)}
    wanted = {"temporal_pos_embed": torch.zeros(1, 4, 1), "blocks.1.centres": torch.zeros(1, 4, 2, 5)}
    tables = resized_tables(state, wanted, grid_then=None, grid_now=None)
    assert tables["temporal_pos_embed"].flatten().tolist() == [0.0, 2.5, 7.5, 10.0]
    torch.testing.assert_close(tables["blocks.1.centres"], torch.ones(1, 4, 2, 5))


@pytest.mark.parametrize("shape", [(1, 2, 7), (2, 2, 1), (1, 0, 1), (2,), ()])
def test_tables_of_other_channels_are_left(shape):
    state, wanted = {"temporal_pos_embed": torch.zeros(shape)}, {"temporal_pos_embed": torch.zeros(1, 4, 1)}
    assert resized_tables(state, wanted, grid_then=None, grid_now=None) == {}


def test_faults_name_the_keys():
    state = {"a": torch.zeros(2, 3), "c": torch.zeros(1)}
    with pytest.raises(
        CheckpointError,
        match=r"1 the model's keys are missing: b; 1 keys are not the model's: c; 1 have another shape: "
        r"a \(2, 3\) instead of \(3, 2\). Build the model with its own name and options$",
    ):
        check_keys(state, {"a": torch.zeros(3, 2), "b": torch.zeros(1)})


def test_faults_of_positions_say_what_is_known_of_the_grid():
    state, wanted = {"pos_embed": torch.zeros(1, 7, 3)}, {"pos_embed": torch.zeros(1, 9, 3)}
    now = PositionGrid((2, 4), 1)
    with pytest.raises(CheckpointError, match="the grid of its pos_embed is not known, .*: give a .ckpt file"):
        check_keys(state, wanted, grid_now=now)
    with pytest.raises(
        CheckpointError,
        match=r"pos_embed is over the grid \(2, 3\) with 1 class tokens, the model's over \(2, 4\) with 1: image_size,",
    ):
        check_keys(state, wanted, grid_then=PositionGrid((2, 3), 1), grid_now=now)


def test_some_keys():
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c"], limit=2) == "a, b and 1 more"

import pytest
import torch

from stvit_video.models.checkpoints.grids import PositionGrid
from stvit_video.models.checkpoints.state_dict import CheckpointError, check_keys, shorten, unwrapped


def test_state_dicts_come_out_of_what_trainers_put_around_them():
    one, two = torch.zeros(1), torch.ones(2)
    training = {"state_dict": {"model.a": one, "top1.total": two}, "epoch": 3}
    assert unwrapped({"a": one}) == unwrapped(training) == unwrapped({"state_dict": {"a": one}}) == {"a": one}
    assert unwrapped({"model": {"module.a": one, "module.b": two}, "optimizer": {}}) == {"a": one, "b": two}
    assert unwrapped({"module": {"a": one}}) == unwrapped({"model": {"state_dict": {"a": one}}}) == {"a": one}
    assert unwrapped({"_orig_mod.module.a": one}) == {"a": one}
    assert unwrapped({"module.a": one, "b": two}) == {"module.a": one, "b": two}


def test_a_tensor_may_be_called_like_a_wrapper():
    assert unwrapped({"model": torch.zeros(1)})["model"].shape == (1,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state_dict": 5}, "'state_dict' is of type int"),
        ({"state_dict": None}, "'state_dict' is of type NoneType"),
        ({"state_dict": {}}, "'state_dict' holds nothing"),
        ({"state_dict": {"model.a": "text"}}, r"'state_dict' holds 1 .*: 'model.a' \(str\);"),
        ({"a": torch.zeros(1), "epoch": 3, 4: torch.zeros(1)}, r"holds 2 .*: 'epoch' \(int\), 4 \(Tensor\);"),
    ],
)
def test_contents_that_are_no_tensors(content, message):
    with pytest.raises(CheckpointError, match=message):
        unwrapped(content)


def test_faults_name_the_keys():
    state = {"a": torch.zeros(2, 3), "c": torch.zeros(1)}
    with pytest.raises(
        CheckpointError,  # the whole sentence, once for its family
        match=r"^the checkpoint is of another model: 1 of the model's keys are missing: b; "
        r"1 keys are not the model's: c; 1 have another shape: "
        r"a \(2, 3\) instead of \(3, 2\). Build the model with its own name and options$",
    ):
        check_keys(state, {"a": torch.zeros(3, 2), "b": torch.zeros(1)})


def test_faults_of_positions_say_what_is_known_of_the_grid():
    state, wanted = {"pos_embed": torch.zeros(1, 7, 3)}, {"pos_embed": torch.zeros(1, 9, 3)}
    now = PositionGrid((2, 4), 1)
    with pytest.raises(CheckpointError, match="grid of its pos_embed is not known.* .ckpt"):
        check_keys(state, wanted, grid_now=now)
    with pytest.raises(CheckpointError, match=r"pos_embed .*\(2, 3\) with 1 .*\(2, 4\) with 1: image_size,"):
        check_keys(state, wanted, grid_then=PositionGrid((2, 3), 1), grid_now=now)


def test_positions_over_the_same_grid_are_not_what_differs():
    state, wanted = {"pos_embed": torch.zeros(1, 7, 3)}, {"pos_embed": torch.zeros(1, 7, 5)}
    grid = PositionGrid((2, 3), 1)
    with pytest.raises(CheckpointError, match=r"instead of \(1, 7, 5\)\. Build .* options$"):
        check_keys(state, wanted, grid_then=grid, grid_now=grid)


def test_some_keys():
    assert shorten(["a", "b", "c"]) == "a, b, c"
    assert shorten(["a", "b", "c"], limit=2) == "a, b and 1 more"

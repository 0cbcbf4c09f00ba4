"""Multi-view evaluation against a loop over single views, and what it refuses."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from stvit_video.evaluation.multiview import (
    aggregate_views,
    evaluate_views,
    in_manifest_order,
    join_results,
)
from stvit_video.evaluation.view_average import NonFiniteLogitsError

C, T, H, W = 3, 2, 5, 7
NUM_CLASSES = 4


class TinyModel(nn.Module):
    """A linear classifier that notes its mode and how many views came at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(C * T * H * W, NUM_CLASSES)
        self.seen: list[tuple[int, bool]] = []

    def forward(self, clip: Tensor) -> Tensor:
        self.seen.append((len(clip), self.training))
        return self.head(clip.flatten(1))


class Views(Dataset[dict[str, Any]]):
    """What `ViewDataset` gives, made by hand: 3 clips x 2 crops; the listed videos are broken."""

    def __init__(self, num_videos: int, broken: tuple[int, ...] = (), start: int = 0) -> None:
        self.views = torch.randn(num_videos, 6, C, T, H, W, generator=torch.Generator().manual_seed(0))
        self.broken = broken
        self.start = start

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, index: int) -> dict[str, Any]:
        error = "no such file" if index in self.broken else ""
        return {
            "views": torch.zeros_like(self.views[index]) if error else self.views[index],
            "label": index % NUM_CLASSES,
            "index": index + self.start,
            "error": error,
            "clip_starts_seconds": [0.0, 0.0, 0.5, 0.5, index + 0.25, index + 0.25],
            "crops": [0, 1, 0, 1, 0, 1],
        }


def loader(num_videos: int, broken: tuple[int, ...] = (), batch_size: int = 2) -> DataLoader[dict[str, Any]]:
    return DataLoader(Views(num_videos, broken), batch_size=batch_size)


@pytest.fixture
def model() -> TinyModel:
    torch.manual_seed(1)
    return TinyModel()


def test_equals_a_loop_over_single_views(model: TinyModel) -> None:
    result = evaluate_views(model, loader(5), device="cpu", max_views_per_forward=5)
    data = Views(5)
    for n in range(5):
        for v in range(6):
            with torch.no_grad():
                expected = model(data.views[n, v][None])[0]
            torch.testing.assert_close(result.view_logits[n, v], expected)
    assert result.labels.tolist() == [0, 1, 2, 3, 0]
    assert result.indices.tolist() == [0, 1, 2, 3, 4]
    assert result.clip_starts_seconds[3].tolist() == [0.0, 0.0, 0.5, 0.5, 3.25, 3.25]
    assert result.crops[4].tolist() == [0, 1, 0, 1, 0, 1]
    assert result.view_logits.dtype == torch.float32


def test_at_most_so_many_views_a_call_in_eval_mode_and_the_mode_is_put_back(model: TinyModel) -> None:
    model.train()
    evaluate_views(model, loader(3, batch_size=3), device="cpu", max_views_per_forward=7)
    assert model.seen == [(7, False), (7, False), (4, False)]
    assert model.training


def test_equal_views_are_computed_once(model: TinyModel) -> None:
    data = Views(3, broken=(1,))
    batch = torch.utils.data.default_collate([data[i] for i in range(3)])
    same_as = torch.tensor([[0, 1, 0, 1, 4, 0], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]])
    batch["views"][0] = batch["views"][0, same_as[0]]
    plain = evaluate_views(model, [batch], device="cpu")
    assert [count for count, _ in model.seen] == [12]
    once = evaluate_views(model, [batch | {"same_as": same_as}], device="cpu")
    assert [count for count, _ in model.seen] == [12, 9]
    torch.testing.assert_close(once.view_logits, plain.view_logits)
    assert (once.num_distinct_views, plain.num_distinct_views) == ({0: 3}, {})
    assert in_manifest_order(join_results([once])).num_distinct_views == {0: 3}


def test_a_missing_video_is_reported_and_never_reaches_the_model(model: TinyModel) -> None:
    result = evaluate_views(model, loader(5, broken=(0, 1, 3)), device="cpu", max_views_per_forward=100)
    assert result.indices.tolist() == [2, 4]
    assert result.errors == {0: "no such file", 1: "no such file", 3: "no such file"}
    assert (result.num_used, result.num_listed) == (2, 5)
    assert [views for views, _ in model.seen] == [6, 6]  # the first batch is missing altogether


def byte_batch(errors: tuple[str, ...]) -> dict[str, Any]:
    """Views as `ViewDataset` gives them, in bytes; those of a missing video are zeros, no other is 0 anywhere."""
    views = torch.randint(1, 256, (len(errors), 6, C, T, H, W), dtype=torch.uint8)
    views[[bool(error) for error in errors]] = 0
    return torch.utils.data.default_collate([Views(len(errors))[i] for i in range(len(errors))]) | {
        "views": views,
        "error": list(errors),
    }


def test_views_are_prepared_on_the_device_in_parts_and_missing_ones_never(model: TinyModel) -> None:
    batch = byte_batch(("", "no such file", ""))
    parts: list[Tensor] = []

    def prepare(views: Tensor) -> Tensor:
        parts.append(views.clone())
        return (views.float() - 100) / 50

    result = evaluate_views(model, [batch], device="cpu", prepare=prepare, max_views_per_forward=5)
    assert [(len(part), part.dtype, part.device.type) for part in parts] == [
        (count, torch.uint8, "cpu") for count in (5, 5, 2)
    ]
    assert torch.equal(torch.cat(parts), batch["views"][[0, 2]].flatten(0, 1))
    assert [count for count, _ in model.seen] == [5, 5, 2]
    floats = batch | {"views": (batch["views"].float() - 100) / 50}
    expected = evaluate_views(model, [floats], device="cpu", max_views_per_forward=5)
    torch.testing.assert_close(result.view_logits, expected.view_logits)
    assert result.errors == {1: "no such file"}


def test_nothing_is_prepared_where_no_video_is_readable(model: TinyModel) -> None:
    called: list[int] = []
    result = evaluate_views(
        model, [byte_batch(("gone", "gone"))], device="cpu", prepare=lambda views: called.append(1) or views
    )
    assert called == []
    assert result.num_used == 0


class Meta(nn.Module):
    """Notes on which device its clips are; on "meta", where no values are."""

    def __init__(self) -> None:
        super().__init__()
        self.devices: list[str] = []

    def forward(self, clip: Tensor) -> Tensor:
        self.devices.append(clip.device.type)
        return torch.zeros(len(clip), NUM_CLASSES)


def test_views_travel_in_bytes_and_are_prepared_after_the_journey() -> None:
    model, seen = Meta(), []

    def prepare(views: Tensor) -> Tensor:
        seen.append((views.device.type, views.dtype))
        return views.float()

    evaluate_views(model, [byte_batch(("", ""))], device="meta", prepare=prepare)
    assert seen == [("meta", torch.uint8)]
    assert model.devices == ["meta"]


def test_if_every_video_is_missing_the_result_is_empty(model: TinyModel) -> None:
    result = evaluate_views(model, loader(3, broken=(0, 1, 2)), device="cpu")
    assert (result.num_used, result.num_listed) == (0, 3)
    assert model.seen == []


def test_mixed_precision_gives_float32_logits_near_the_exact_ones(model: TinyModel) -> None:
    exact = evaluate_views(model, loader(2), device="cpu")
    mixed = evaluate_views(model, loader(2), device="cpu", autocast_dtype=torch.bfloat16)
    assert mixed.view_logits.dtype == torch.float32
    torch.testing.assert_close(mixed.view_logits, exact.view_logits, atol=0.05, rtol=0.05)
    assert not torch.equal(mixed.view_logits, exact.view_logits)


def test_nan_is_an_error_that_names_the_videos(model: TinyModel) -> None:
    data = Views(4)
    data.views[1, 4] = float("nan")
    data.views[3, 0] = float("inf")
    batches = DataLoader(data, batch_size=4)
    with pytest.raises(NonFiniteLogitsError, match=r"NaN or infinite logits for b\.mp4, d\.mp4;"):
        evaluate_views(model, batches, device="cpu", names=["a.mp4", "b.mp4", "c.mp4", "d.mp4"])
    with pytest.raises(NonFiniteLogitsError, match="NaN .*for video 1, video 3;"):
        evaluate_views(model, batches, device="cpu")


def test_a_video_that_comes_twice_is_an_error(model: TinyModel) -> None:
    twice = [*DataLoader(Views(2), batch_size=2), *DataLoader(Views(2, start=1), batch_size=2)]
    message = (  # the whole sentence, once for its family
        "^4 items came for 3 distinct videos; evaluation takes each video exactly once "
        r"\(use no sampler that repeats or pads\)$"
    )
    with pytest.raises(ValueError, match=message):
        evaluate_views(model, twice, device="cpu")


def test_nothing_and_uneven_views_are_errors(model: TinyModel) -> None:
    with pytest.raises(ValueError, match="not one batch"):
        evaluate_views(model, [], device="cpu")
    with pytest.raises(ValueError, match="max_views_per_forward .*at least 1, got 0"):
        evaluate_views(model, [], device="cpu", max_views_per_forward=0)
    first, second = DataLoader(Views(2), batch_size=1)
    second |= {
        "views": second["views"][:, :4],
        "clip_starts_seconds": torch.zeros(1, 4),
        "crops": torch.zeros(1, 4),
    }
    with pytest.raises(ValueError, match=r"number of views, got \[4, 6\]"):
        evaluate_views(model, [first, second], device="cpu")


def test_aggregate_by_hand() -> None:
    # odds 1:3 and 1:1, so the mean probability of class 1 is (0.75 + 0.5) / 2 and its mean logit log(3) / 2
    logits = torch.tensor([[[0.0, 3.0], [0.0, 1.0]]]).clamp(min=1.0).log()
    torch.testing.assert_close(aggregate_views(logits, average="prob"), torch.tensor([[0.375, 0.625]]))
    expected = torch.tensor([[0.0, 3.0]]).clamp(min=1.0).log() / 2
    torch.testing.assert_close(aggregate_views(logits, average="logit"), expected)


def test_the_two_averages_can_disagree() -> None:
    # one view is very sure of class 0, two lean to class 1: logits follow the one, probabilities the two
    logits = torch.tensor([[[20.0, 0.0], [0.0, 3.0], [0.0, 3.0]]])
    assert aggregate_views(logits, average="prob").argmax() == 1
    assert aggregate_views(logits, average="logit").argmax() == 0


def test_aggregate_refuses_unknown_averages_and_shapes() -> None:
    with pytest.raises(ValueError, match="average='mean' .*prob, logit"):
        aggregate_views(torch.zeros(2, 3, 5), average="mean")
    with pytest.raises(ValueError, match=r"views >= 1, classes\), got \(2, 0, 5\)"):
        aggregate_views(torch.zeros(2, 0, 5))


def test_several_labels_average_the_sigmoid() -> None:
    logits = torch.tensor([[[0.0, 3.0], [0.0, 1.0]]]).clamp(min=1.0).log()  # sigmoid: 1/2 and 3/4; 1/2 and 1/2
    scores = aggregate_views(logits, average="prob", multi_label=True)
    torch.testing.assert_close(scores, torch.tensor([[0.5, 0.625]]))
    assert torch.equal(aggregate_views(logits, average="logit", multi_label=True), logits.mean(dim=1))


def test_shares_joined_in_the_manifests_order_are_the_whole(model: TinyModel) -> None:
    whole = evaluate_views(model, loader(7, broken=(2, 5)), device="cpu")
    data = Views(7, broken=(2, 5))
    shares = [
        evaluate_views(model, [torch.utils.data.default_collate([data[i]]) for i in own], device="cpu")
        for own in ((6, 2, 1), (5,), (0, 4, 3))
    ]
    joined = in_manifest_order(join_results(shares))
    assert joined.indices.tolist() == [0, 1, 3, 4, 6]
    assert list(joined.errors.items()) == [(2, "no such file"), (5, "no such file")]
    for name in ("labels", "indices", "clip_starts_seconds", "crops"):
        assert torch.equal(getattr(joined, name), getattr(whole, name))
    torch.testing.assert_close(joined.view_logits, whole.view_logits)
    with pytest.raises(ValueError, match="8 items .*7 distinct"):
        join_results([*shares, shares[1]])


def test_a_process_without_videos_gives_an_empty_result(model: TinyModel) -> None:
    empty = evaluate_views(model, [], device="cpu", allow_empty=True)
    assert (empty.num_used, empty.num_listed, empty.view_logits.shape) == (0, 0, (0, 0, 0))
    whole = evaluate_views(model, loader(2), device="cpu", allow_empty=True)
    assert torch.equal(in_manifest_order(join_results([empty, whole])).view_logits, whole.view_logits)

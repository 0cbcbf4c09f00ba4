"""One of two processes that evaluate together; started by test_shards.py with torchrun's environment variables.

python shard_worker.py FOLDER: writes ledgers and the texts of the errors there.
"""

import dataclasses
import json
import os
import sys
import time
from pathlib import Path

import torch
from detection_maker import CLASSES, random_set
from torch import nn
from torch.utils.data import DataLoader

from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.detection.results_file import write_detections
from stvit_video.evaluation.distributed import (
    ProcessFailedError,
    evaluate_distributed,
    gather_shares,
    process_group,
    rank_and_world_size,
)
from stvit_video.evaluation.ledger.eval_ledger import LedgerInfo, make_ledger
from stvit_video.evaluation.ledger.parquet import write_ledger
from stvit_video.evaluation.multiview import MultiViewResult, evaluate_views

NUM_CLIPS, NUM_CROPS, NUM_CLASSES = 3, 2, 5
INFO = LedgerInfo(
    classes=("a", "b", "c", "d", "e"),
    model="conv",
    protocol={"num_clips": NUM_CLIPS, "num_crops": NUM_CROPS, "average": "prob"},
    preprocessing={"short_side": 7},
)


def make_items(num_videos: int, *, broken: tuple[int, ...], several: bool = False) -> list[dict]:
    """What `ViewDataset` gives, each video from its own seed; several = with none, one or more labels each."""
    items = []
    for index in range(num_videos):
        generator = torch.Generator().manual_seed(index)
        items.append(
            {
                "views": torch.randn(NUM_CLIPS * NUM_CROPS, 3, 2, 5, 7, generator=generator),
                "label": torch.arange(NUM_CLASSES).lt(index % 4).float() if several else index % NUM_CLASSES,
                "index": index,
                "error": "no such file" if index in broken else "",
                "clip_starts_seconds": [0.1 * index, 0.1 * index, 0.5, 0.5, 1.0, 1.0],
                "crops": [0, 1] * NUM_CLIPS,
            }
        )
    return items


def make_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(3, 11, (2, 3, 3)), nn.GELU(), nn.Flatten(), nn.Linear(11 * 15, NUM_CLASSES))


def evaluate(items: list[dict], *, rank: int, world_size: int) -> MultiViewResult:
    sampler = UnpaddedDistributedSampler(items, shuffle=False, seed=0, rank=rank, world_size=world_size, block_size=2)
    loader = DataLoader(items, batch_size=2, sampler=sampler)
    return evaluate_views(make_model(), loader, device="cpu", max_views_per_forward=5, allow_empty=True)


def write(result: MultiViewResult, items: list[dict], path: Path) -> None:
    ids = [f"video {item['index']}.mp4" for item in items]
    several = isinstance(items[0]["label"], torch.Tensor)
    labels = [range(int(item["label"].sum())) if several else item["label"] for item in items]
    info = dataclasses.replace(INFO, multi_label=several)
    write_ledger(make_ledger(result, video_ids=ids, labels=labels, info=info), path)


def compare(folder: Path, name: str, items: list[dict]) -> None:
    """Both ways of evaluating the items, into `name`-alone.parquet and `name`-shards.parquet."""
    rank, world_size = rank_and_world_size()
    result = evaluate_distributed(lambda: evaluate(items, rank=rank, world_size=world_size), folder=folder / "shards")
    assert (result is None) == (rank != 0)
    if result is not None:
        write(result, items, folder / f"{name}-shards.parquet")
        write(evaluate(items, rank=0, world_size=1), items, folder / f"{name}-alone.parquet")


def detect(*, rank: int, world_size: int) -> DetectionResults:
    """The detections of a process, of which one picture can't be read."""
    truth, detections = random_set(0)
    results = DetectionResults(truth, classes=CLASSES)
    for place in range(rank, len(truth), world_size):
        name = truth[place]["picture_id"]
        if place == 6:
            results.add_missing(name, "broken")
        else:
            results.add([name], [detections[place]])
    return results


def compare_detections(folder: Path) -> None:
    """Scores and detections of both ways, into detections-alone.json and detections-shards.json."""
    rank, world_size = rank_and_world_size()
    shares = gather_shares(lambda: detect(rank=rank, world_size=world_size).share(), folder=folder / "shards")
    assert (shares is None) == (rank != 0)
    if shares is not None:
        together = DetectionResults(random_set(0)[0], classes=CLASSES)
        for share in shares:
            together.take_share(share)
        for name, results in (("shards", together), ("alone", detect(rank=0, world_size=1))):
            write_detections(folder / f"detections-{name}.json", results.detections.values(), category_ids=range(5))
            values = {kind: results.scores(kind).values for kind in ("bbox", "segm")}
            (folder / f"scores-{name}.json").write_text(json.dumps([values, list(results.errors.items())]))


def error_of(folder: Path, action, *, timeout_seconds: float = 20.0) -> str:
    """What `evaluate_distributed` raises when `action` is this process's evaluation."""
    try:
        evaluate_distributed(action, folder=folder / "shards", timeout_seconds=timeout_seconds)
    except (ProcessFailedError, ArithmeticError) as error:
        return f"{type(error).__name__}: {error}"
    return "none"


def fail() -> MultiViewResult:
    raise ArithmeticError("NaN in video 3.mp4")


def wait_until_gone(folder: Path) -> MultiViewResult:
    while list((folder / "shards").glob(".shares-*")):
        time.sleep(0.02)
    return evaluate(make_items(1, broken=()), rank=0, world_size=1)


def main(folder: Path) -> None:
    with process_group(timeout_seconds=60) as (rank, world_size):
        assert (rank, world_size) == (int(os.environ["RANK"]), 2)
        compare(folder, "seven", make_items(7, broken=(1, 6)))
        compare(folder, "one", make_items(1, broken=()))
        compare(folder, "several", make_items(6, broken=(0, 3), several=True))
        compare_detections(folder)
        few = make_items(3, broken=())
        texts = {"second fails": error_of(folder, fail if rank else lambda: evaluate(few, rank=0, world_size=2))}
        texts["first fails"] = error_of(folder, (lambda: wait_until_gone(folder)) if rank else fail)
        (folder / "file").touch()
        texts["bad folder"] = error_of(folder / "file", fail)
        if rank:  # the last scenario kills this process
            (folder / "rank1.json").write_text(json.dumps(texts))
        share = (lambda: os._exit(3)) if rank else lambda: evaluate(few, rank=0, world_size=2)
        texts["second is killed"] = error_of(folder, share, timeout_seconds=0.5)
        (folder / "rank0.json").write_text(json.dumps(texts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

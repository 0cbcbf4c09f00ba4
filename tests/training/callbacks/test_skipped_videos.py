import csv
import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.multiprocessing as multiprocessing
from torch import distributed

from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.manifests.quarantine import drop_quarantined
from stvit_video.training.callbacks.skipped_videos import Skipped, SkippedVideos, merged, write_skipped

RECORDS = (
    VideoRecord(Path("/data/b, c.mp4"), 0, "b"),
    VideoRecord(Path("/data/a.mp4"), 1, "a#1", 2.5, 4.0),
    VideoRecord(Path("/data/a.mp4"), 1, "a#2", 4.0, 7.0),
    VideoRecord(Path("/data/000.tar"), 0, "m", member="x/d.mp4", byte_range=(512, 10)),
    VideoRecord(Path("/data/000.tar"), 0, "n", member="x/e.mp4", byte_range=(2048, 10)),
)
MANIFEST = Manifest(RECORDS, ("no", "yes"))


def rows(path):
    with path.open(newline="") as file:
        return [(row["path"], row["start_seconds"], row["reason"], row["times"]) for row in csv.DictReader(file)]


def counting(skipped):
    """A module that has drawn twice as many videos as it skipped."""
    number = sum(times for _, times in skipped.values())
    return SimpleNamespace(skipped=skipped, num_skipped=number, num_seen=2 * number)


def process(rank=0, world_size=1):
    lines = []
    return SimpleNamespace(
        is_global_zero=rank == 0,
        global_rank=rank,
        world_size=world_size,
        print=lambda text, flush: lines.append(text),
        lines=lines,
    )


def test_the_list_is_a_quarantine_list(tmp_path):
    module = counting({1: ("it is short", 2), 0: ("it\nis, odd", 1), 3: ("it is cut", 1)})
    SkippedVideos(tmp_path, MANIFEST).on_train_epoch_end(process(), module)
    assert rows(tmp_path / "skipped.csv") == [
        ("/data/000.tar: x/d.mp4", "", "it is cut", "1"),
        ("/data/a.mp4", "2.5", "it is short", "2"),
        ("/data/b, c.mp4", "", "it\nis, odd", "1"),
    ]
    kept = drop_quarantined(MANIFEST, tmp_path / "skipped.csv")
    assert kept == dataclasses.replace(MANIFEST, records=(RECORDS[2], RECORDS[4]))


def test_nothing_skipped_nothing_written(tmp_path):
    callback, trainer = SkippedVideos(tmp_path, MANIFEST), process()
    callback.on_train_epoch_end(trainer, counting({}))
    callback.on_train_end(trainer, None)
    callback.on_exception(trainer, counting({}), ValueError())
    assert list(tmp_path.iterdir()) == trainer.lines == []


def test_the_end_says_what_to_do(tmp_path):
    callback, trainer = SkippedVideos(tmp_path, MANIFEST), process()
    callback.on_train_epoch_end(trainer, counting({0: ("odd", 4), 2: ("short", 1)}))
    callback.on_train_end(trainer, None)
    path = tmp_path / "skipped.csv"
    assert trainer.lines == [
        f"2 training videos could not be read, {path} says why; data.quarantine={path} leaves them out next time"
    ]


def test_one_picture_is_called_a_picture(tmp_path):
    callback, trainer = SkippedVideos(tmp_path, MANIFEST, kind="picture"), process()
    callback.on_train_epoch_end(trainer, counting({0: ("odd", 4)}))
    callback.on_train_end(trainer, None)
    assert trainer.lines[0].startswith("1 training picture could not be read")


def test_a_resumed_training_goes_on_with_the_list(tmp_path):
    before = SkippedVideos(tmp_path, MANIFEST)
    before.on_train_epoch_end(process(), counting({0: ("odd", 4)}))
    torch.save(before.state_dict(), tmp_path / "state.pt")
    # resumed without the first video: the others have other numbers now
    after = SkippedVideos(tmp_path, dataclasses.replace(MANIFEST, records=RECORDS[1:]))
    after.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert after.state_dict() == before.state_dict()
    for _ in range(2):  # counts go on within a training and are not added twice
        after.on_train_epoch_end(process(), counting({0: ("short", 3)}))
    assert rows(tmp_path / "skipped.csv") == [("/data/a.mp4", "2.5", "short", "3"), ("/data/b, c.mp4", "", "odd", "4")]


def test_an_error_leaves_what_is_known_by_then(tmp_path):
    callback = SkippedVideos(tmp_path, MANIFEST)
    callback.on_exception(process(world_size=2), counting({0: ("odd", 1)}), ValueError())
    callback.on_exception(process(1, 2), counting({2: ("short", 1)}), ValueError())
    assert rows(tmp_path / "skipped.csv") == [("/data/b, c.mp4", "", "odd", "1")]
    assert rows(tmp_path / "skipped_rank1.csv") == [("/data/a.mp4", "4.0", "short", "1")]


@pytest.mark.parametrize(
    ("world_size", "expected"), [(1, [(7, 14)]), (2, [(4, 8), (3, 6)]), (3, [(7, 14), (0, 0), (0, 0)])]
)
def test_every_process_counts_on_from_the_checkpoint(tmp_path, world_size, expected):
    """Written by two processes; where there are others now, the first one goes on for both."""
    callback, found = SkippedVideos(tmp_path, MANIFEST), []
    callback.load_state_dict({"skipped": [], "counts": [[4, 8], [3, 6]]})
    for rank in range(world_size):
        module = counting({})
        callback.on_train_start(process(rank, world_size), module)
        found.append((module.num_skipped, module.num_seen))
    assert found == expected


def test_a_checkpoint_within_an_epoch_holds_the_present_list(tmp_path):
    callback, checkpoint = SkippedVideos(tmp_path, MANIFEST), {"callbacks": {}}
    callback.on_train_epoch_end(process(), counting({0: ("odd", 1)}))
    callback.on_save_checkpoint(process(), counting({0: ("odd", 3)}), checkpoint)
    state = checkpoint["callbacks"][callback.state_key]
    assert state == {"skipped": [["/data/b, c.mp4", None, None, "odd", 3]], "counts": [[3, 6]]}
    assert rows(tmp_path / "skipped.csv") == [("/data/b, c.mp4", "", "odd", "1")]  # written after epochs


def one_of_two(rank, folder):
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    callback = SkippedVideos(folder, MANIFEST)
    module = counting({0: ("odd", 1 + rank)} | ({1: ("short", 5)} if rank else {}))
    callback.on_train_epoch_end(process(rank, 2), module)
    if rank == 0:  # fails later, alone
        module.skipped[0] = ("odd", 10)
        callback.on_exception(process(rank, 2), module, ValueError())
    distributed.destroy_process_group()


@pytest.mark.skipif(not distributed.is_available(), reason="this torch has no torch.distributed")
def test_two_processes_make_one_list(tmp_path):
    multiprocessing.start_processes(one_of_two, args=(tmp_path,), nprocs=2, start_method="fork")
    assert rows(tmp_path / "skipped.csv") == [("/data/a.mp4", "2.5", "short", "5"), ("/data/b, c.mp4", "", "odd", "12")]


def test_merging_keeps_the_first_reason_and_adds_the_times():
    a, b, c = (("a", None, None), ("b", 1.0, 2.0), ("c", None, 3.0))
    total = merged([{a: Skipped("x", 2), b: Skipped("y", 1)}, {b: Skipped("z", 5)}, {c: Skipped("w", 7)}])
    assert total == {a: Skipped("x", 2), b: Skipped("y", 6), c: Skipped("w", 7)}


def test_a_folder_that_is_gone_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write_skipped(tmp_path / "file" / "skipped.csv", {("a", None, None): Skipped("x", 1)})

import dataclasses
import gc
import os
import warnings
from types import SimpleNamespace

import lightning
import pytest
import torch

from stvit_video.data.loading.datamodule import Batches, TrainingClips, VideoDataModule
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.loading.multi_scale import MultiScale
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.transforms.pixel_augment import PixelAugment
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform

PLAIN = Preprocessing(num_frames=3, frame_stride=2, short_side=24, crop_size=20)


def data_module(train: Manifest, val: Manifest | None = None, **settings) -> VideoDataModule:
    def parts(kind, **given):
        names = {field.name for field in dataclasses.fields(kind)} & set(settings)
        return kind(**given, **{name: settings.pop(name) for name in names})

    batches = parts(Batches, size=settings.pop("batch_size", 2), val_size=settings.pop("val_batch_size", None))
    return VideoDataModule(
        train,
        train if val is None else val,
        preprocessing=PLAIN,
        clips=parts(TrainingClips, transform=TrainTransform(PLAIN)),
        batches=batches,
        decoding=parts(Decoding, cache=settings.pop("cache", "memory")),
        **settings,
    )


def order(loader) -> list[int]:
    return [index for batch in loader for index in batch["index"].tolist()]


def test_training_batches_are_whole_and_shuffled_by_seed_and_epoch(small_manifest):
    loader = data_module(small_manifest).train_dataloader()
    epochs = []
    for epoch in range(6):
        loader.sampler.set_epoch(epoch)
        epochs.append(order(loader))
        assert len(epochs[-1]) == 4  # 5 videos in batches of 2, the last is left out
    assert len({tuple(one) for one in epochs}) > 3
    same = data_module(small_manifest).train_dataloader()
    same.sampler.set_epoch(2)
    assert order(same) == epochs[2]
    batch = next(iter(loader))
    assert batch["clip"].shape == (2, 3, 3, 20, 20)
    assert len(batch["draws"]) == 2
    kept = data_module(small_manifest, drop_last=False).train_dataloader()
    assert sorted(order(kept)) == [0, 1, 2, 3, 4]


def test_validation_goes_through_all_videos_in_order(small_manifest):
    module = data_module(small_manifest, val_batch_size=3, val_views=(2, 3))
    assert module.classes == ("fall", "rise")
    loader = module.val_dataloader()
    assert order(loader) == [0, 1, 2, 3, 4]
    batches = list(loader)
    assert [batch["views"].shape for batch in batches] == [(3, 6, 3, 3, 20, 20), (2, 6, 3, 3, 20, 20)]
    assert [batch["label"].tolist() for batch in batches] == [[0, 1, 0], [1, 0]]


def test_two_workers_give_what_none_gives_over_epochs(small_manifest):
    alone = data_module(small_manifest, batch_size=5).train_dataloader()
    workers = data_module(small_manifest, batch_size=5, num_workers=2).train_dataloader()
    for epoch in range(2):
        for loader in (alone, workers):
            loader.sampler.set_epoch(epoch)
        [one], [two] = alone, workers
        assert torch.equal(one["index"], two["index"])
        assert torch.equal(one["clip"], two["clip"])


class Recorder(lightning.LightningModule):
    """Learns nothing; notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[tuple[int, tuple[int, ...], float]] = []

    def training_step(self, batch, number):
        self.seen.append((self.current_epoch, tuple(batch["index"].tolist()), float(batch["clip"].sum())))
        return self.weight * batch["clip"].float().mean()

    def validation_step(self, batch, number):
        assert batch["views"].shape[1:3] == (1, 3)
        assert batch["views"].dtype == torch.uint8

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(manifest: Manifest, folder, *, epochs: int, resume: str | None = None) -> tuple[Recorder, lightning.Trainer]:
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, default_root_dir=folder,
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
    )  # fmt: skip
    recorder = Recorder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on workers and logging
        trainer.fit(recorder, datamodule=data_module(manifest), ckpt_path=resume)
    return recorder, trainer


def test_lightning_draws_anew_each_epoch_and_a_resumed_run_goes_on_alike(small_manifest, tmp_path):
    whole, _ = fit(small_manifest, tmp_path, epochs=3)
    assert len(whole.seen) == 6
    assert len({clip_sum for _, _, clip_sum in whole.seen}) == 6
    half, trainer = fit(small_manifest, tmp_path, epochs=2)
    assert half.seen == whole.seen[:4]
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    resumed, _ = fit(small_manifest, tmp_path, epochs=3, resume=str(tmp_path / "half.ckpt"))
    assert resumed.seen == whole.seen[4:]


def test_the_state_is_the_place_in_the_training_epoch(small_manifest):
    stopped = data_module(small_manifest)
    assert stopped.state_dict() == {}
    loader = stopped.train_dataloader()
    loader.sampler.set_epoch(3)
    batches = iter(loader)
    seen = next(batches)["index"].tolist()
    resumed = data_module(small_manifest)
    resumed.load_state_dict(stopped.state_dict())
    rest = resumed.train_dataloader()
    rest.sampler.set_epoch(3)
    loader.sampler.set_epoch(3)
    assert seen + order(rest) == order(loader)
    assert len(order(resumed.train_dataloader())) == 4  # a further loader begins at the beginning


def test_each_process_of_a_distributed_run_gets_its_shard(small_manifest):
    seen = []
    for rank in range(2):
        module = data_module(small_manifest)
        module.trainer = SimpleNamespace(global_rank=rank, world_size=2)
        seen.append(order(module.val_dataloader()))
        assert len(order(module.train_dataloader())) == 2
    assert seen == [[0, 2, 4], [1, 3]]


def test_every_process_needs_a_validation_video(small_manifest):
    module = data_module(small_manifest)
    module.trainer = SimpleNamespace(global_rank=0, world_size=6)
    with pytest.raises(ValueError, match=r"\b5 validation video.* 6 processes\b.*trainer\.devices=5\b"):
        module.val_dataloader()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        # the whole sentence, once for its family
        (
            {"batch_size": 6},
            r"^batch_size=6 is more than the 5 training videos of a process \(5 videos, 1 process\(es\)\); "
            "lower batch_size or add videos$",
        ),
    ],
)
def test_bad_settings_are_refused(small_manifest, settings, message):
    with pytest.raises(ValueError, match=message):
        data_module(small_manifest, **settings)


def test_a_validation_class_without_training_video_is_refused(small_manifest):
    rising = dataclasses.replace(small_manifest, records=small_manifest.records[1::2])
    with pytest.raises(ManifestError, match=r"1 class\(es\) .*no training video: 'fall';"):
        data_module(rising, small_manifest)


def test_repeats_share_a_batch_that_counts_clips(small_manifest):
    module = data_module(small_manifest, batch_size=4, num_repeats=2)
    loader = module.train_dataloader()
    assert module.videos_per_batch == 2
    assert len(loader) == 2  # five videos, two a batch
    seen = []
    for batch in loader:
        assert batch["clip"].shape == (4, 3, 3, 20, 20)
        assert batch["num_skipped"].shape == (2,)
        assert batch["index"][0::2].tolist() == batch["index"][1::2].tolist()
        seen += batch["index"][0::2].tolist()
    assert len(set(seen)) == 4


def test_draws_come_through_the_workers_and_are_the_same_as_without(small_manifest):
    pixels = PixelAugment(rand_augment="rand-m7-n4", erase_probability=0.5)
    transform = TrainTransform(PLAIN, pixels=pixels, on_device=True)
    found = []
    for num_workers in (0, 2):
        module = data_module(small_manifest, num_workers=num_workers, num_repeats=2, batch_size=4)
        module.train_transform = transform
        found.append(list(module.train_dataloader()))
    for one, two in zip(*found, strict=True):
        assert one["draws"] == two["draws"]
        assert torch.equal(one["clip"], two["clip"])
        assert one["clip"].dtype == torch.uint8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 12, "num_repeats": 2}, r"\bbatch_size=12 .*num_repeats=2 .*more than .*\b5 training videos"),
    ],
)
def test_repeats_that_do_not_fit_are_refused(small_manifest, settings, message):
    with pytest.raises(ValueError, match=message):
        data_module(small_manifest, **settings)


def test_validation_spans_videos_where_training_does(small_manifest, frame_numbers):
    dense, spanning = (
        data_module(small_manifest, sampling=ClipSampling(sampling=sampling)) for sampling in ("dense", "segments")
    )
    seen = []
    for module in (dense, spanning):
        module.setup("fit")
        seen.append(frame_numbers(module._val[3]["views"][0]))  # of 13 frames
    assert seen == [[4, 6, 8], [2, 6, 10]]


def test_another_reader_and_the_attempts_reach_the_training_clips(small_manifest, frame_numbers):
    def read(index, generator):
        return torch.full((3, 24, 31, 3), 16 + 8 * index, dtype=torch.uint8)

    module = data_module(small_manifest, cache="none", read_frames=read, max_attempts=3)
    assert module.datasets == ()
    for batch in module.train_dataloader():
        assert [frame_numbers(clip) for clip in batch["clip"]] == [[index] * 3 for index in batch["index"].tolist()]
    train, val = module.datasets
    assert train.max_attempts == 3
    assert next(iter(module.val_dataloader()))["views"].shape[0] == 2
    assert val.manifest is small_manifest


def sizes_of(loader) -> list[tuple[int, ...]]:
    return [tuple(batch["clip"].shape) for batch in loader]


def test_every_batch_has_its_size_and_all_processes_the_same(small_manifest):
    """Five videos: two batches of 2 of them at 14 pixels, one of 1 at 24; two clips of each."""
    multi_scale = MultiScale(sizes=(14, 24), crop_size=20, videos_per_batch=1)
    settings = {"batch_size": 2, "num_repeats": 2, "multi_scale": multi_scale}
    alone, workers = (data_module(small_manifest, num_workers=number, **settings) for number in (0, 2))
    loaders = [module.train_dataloader() for module in (alone, workers)]
    assert [len(loader) for loader in loaders] == [3, 3]
    for epoch in range(2):
        for loader in loaders:
            loader.sampler.set_epoch(epoch)
        one, two = map(list, loaders)
        assert sorted(sizes_of(one)) == [(2, 3, 3, 24, 24), (4, 3, 3, 14, 14), (4, 3, 3, 14, 14)]
        assert all(torch.equal(a["clip"], b["clip"]) for a, b in zip(one, two, strict=True))
        assert sorted(index for batch in one for index in batch["index"][::2].tolist()) == [0, 1, 2, 3, 4]
    assert {batch["views"].shape[-1] for batch in alone.val_dataloader()} == {20}


def test_processes_take_the_same_steps_of_several_sizes(small_manifest):
    multi_scale = MultiScale(sizes=(18, 24), crop_size=20, videos_per_batch=1)
    found = []
    for rank in range(2):
        module = data_module(small_manifest, batch_size=1, multi_scale=multi_scale)
        module.trainer = SimpleNamespace(global_rank=rank, world_size=2)
        loader = module.train_dataloader()
        loader.sampler.set_epoch(3)
        found.append((len(loader), sizes_of(loader), order(loader)))
    assert found[0][:2] == found[1][:2] == (2, found[0][1])
    assert {shape[-1] for shape in found[0][1]} == {18, 24}
    assert not set(found[0][2]) & set(found[1][2])


def test_sizes_that_do_not_fit_the_batches_are_refused(small_manifest):
    multi_scale = MultiScale(sizes=(10, 20), crop_size=20, videos_per_batch=2)  # 8 and 2 videos
    with pytest.raises(ValueError, match=r"multi_scale=\[10, 20\] .*\b10 training videos .* are 5;"):
        data_module(small_manifest, multi_scale=multi_scale)
    message = r"multi_scale .*=\(20, 2\) .*\(20, {}\) .*drop_last={};"
    with pytest.raises(ValueError, match=message.format(1, True)):
        data_module(small_manifest, batch_size=1, multi_scale=multi_scale)
    with pytest.raises(ValueError, match=message.format(2, False)):
        data_module(small_manifest, drop_last=False, multi_scale=multi_scale)


class Leftover:
    """Stands for a decoder whose threads live in the parent process alone: it must not be freed elsewhere."""

    def __init__(self, path):
        self.path, self.parent, self.itself = path, os.getpid(), self  # garbage that only a collection finds

    def __del__(self):
        if os.getpid() != self.parent:
            self.path.touch()


def test_loader_processes_do_not_free_what_they_inherit(small_manifest, tmp_path):
    def read(index, generator):
        gc.collect()
        return torch.zeros(3, 24, 31, 3, dtype=torch.uint8)

    module = data_module(small_manifest, cache="memory", read_frames=read, num_workers=1)
    gc.disable()
    try:
        Leftover(tmp_path / "freed")
        assert len(list(module.train_dataloader())) == 2
    finally:
        gc.enable()
    assert not (tmp_path / "freed").exists()

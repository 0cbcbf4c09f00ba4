"""Two processes against one: the same losses, whole checkpoints of sharded weights, validation that does not hang."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.models import model_from_checkpoint
from stvit_video.settings.paths import CONF_DIR
from stvit_video.train import train

pytestmark = pytest.mark.commands

TINY = [
    "data=csv",
    "data.num_frames=4",
    "data.frame_stride=2",
    "data.short_side=20",
    "data.crop_size=16",
    "data.num_workers=0",
    "model=stvit_video_deit_tiny",
    "model.patch_size=4",
    "model.embed_dim=8",
    "model.num_heads=2",
    "model.depth=4",
    "model.generate_at=1",
    "model.num_tokens=4",
    "model.drop_path_rate=0",
    "optim.warmup_epochs=0",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "protocol.num_clips=1",
    "protocol.num_crops=1",
]
NUM_VIDEOS = 17  # two steps of 8 an epoch, and one left over


def settings_for(*overrides: str) -> dict:
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=[*TINY, *overrides]), resolve=True)


def write_list(path: Path, rows: list[tuple[str, str]]) -> str:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two processes: ddp, fsdp, lost (the second one can read no validation video), lost_several, mixed."""
    root = tmp_path_factory.mktemp("scale")
    names = [f"{number}.mp4" for number in range(NUM_VIDEOS)]
    for number, name in enumerate(names):
        noise = torch.Generator().manual_seed(number)
        encode_video(root / name, torch.randint(256, (9, 20, 24, 3), dtype=torch.uint8, generator=noise).numpy(), fps=9)
    (root / "broken.mp4").write_bytes(b"no video")
    rows = [(name, "ab"[number % 2]) for number, name in enumerate(names)]
    lists = {
        "train": write_list(root / "train.csv", rows),
        "val": write_list(root / "val.csv", rows[:5]),
        "lost": write_list(root / "lost.csv", [rows[0], ("broken.mp4", "a")]),
        "few": write_list(root / "few.csv", rows[:8]),
    }
    common = [f"data.train='{lists['train']}'", "data.batch_size=4"]
    several = ["data.label_separator='|'", "trainer.max_epochs=1"]
    mixed = ["augment.mixup_alpha=0.8", "augment.mix_probability=0.5", "trainer.max_epochs=6"]
    trainings = {
        "ddp": [*common, f"data.val='{lists['val']}'", "trainer=ddp", "trainer.max_epochs=2"],
        "fsdp": [
            *common,
            f"data.val='{lists['val']}'",
            "trainer=fsdp",
            "trainer.max_epochs=2",
            "data.val_batch_size=2",
        ],
        "lost": [*common, f"data.val='{lists['lost']}'", "trainer.max_epochs=1"],
        "lost_several": [*common, f"data.val='{lists['lost']}'", *several],
        "mixed": [f"data.train='{lists['few']}'", f"data.val='{lists['val']}'", "data.batch_size=4", *mixed],
    }
    settings = {name: settings_for(*overrides) for name, overrides in trainings.items()}
    (root / "trainings.json").write_text(json.dumps(settings))
    done = run_two_processes(root)
    (root / "printed.txt").write_text(done.stdout)
    assert done.returncode == 0, done.stderr[-5000:]
    return root


def run_two_processes(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The trainings of root/trainings.json."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*launcher, str(Path(__file__).parent / "helpers" / "scale_worker.py"), str(root), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=240,
    )


def epochs_of(run_dir: Path, name: str) -> list[float]:
    with (run_dir / "metrics.csv").open(newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file) if row[name]]


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    return torch.load(run_dir / "last.ckpt", weights_only=True)["state_dict"]


@pytest.fixture(scope="module")
def alone(folder: Path) -> Path:
    """The run "ddp" by one process with batches twice as large."""
    lists = [f"data.{part}='{folder / part}.csv'" for part in ("train", "val")]
    train(settings_for(*lists, "data.batch_size=8", "trainer=cpu", "trainer.max_epochs=2"), run_dir=folder / "alone")
    return folder / "alone"


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_train_as_one_with_twice_the_batch(folder: Path, alone: Path, strategy: str) -> None:
    for name in ("train/loss", "val/loss", "val/top1"):
        assert epochs_of(folder / strategy, name) == pytest.approx(epochs_of(alone, name), abs=1e-5)
    expected = weights(alone)
    assert set(weights(folder / strategy)) == set(expected)
    for key, value in weights(folder / strategy).items():
        if not key.endswith(
            ("qkv.bias", "kv.bias")
        ):  # a key's bias changes no attention: its gradient is rounding only
            torch.testing.assert_close(value, expected[key], rtol=0, atol=1e-5)


def test_a_checkpoint_of_sharded_weights_is_whole(folder: Path) -> None:
    model, metadata = model_from_checkpoint(folder / "fsdp" / "last.ckpt")
    other, _ = model_from_checkpoint(folder / "ddp" / "last.ckpt")
    clip = torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(model(clip), other(clip), rtol=0, atol=1e-4)
    assert metadata["classes"] == ["a", "b"]
    assert torch.load(folder / "fsdp" / "last.ckpt", weights_only=True)["optimizer_states"][0]["state"]


@pytest.mark.parametrize(("name", "metric"), [("lost", "val/top1"), ("lost_several", "val/mAP")])
def test_validation_goes_on_where_a_process_can_read_nothing(folder: Path, name: str, metric: str) -> None:
    assert epochs_of(folder / name, "val/num_unreadable") == [1]
    result = json.loads((folder / name / "result.json").read_text())
    assert (result["num_videos_used"], result["num_videos_listed"]) == (1, 2)
    assert epochs_of(folder / name, metric) == [result["top1" if name == "lost" else "mean_average_precision"]]


def test_the_first_process_alone_tells_the_effective_batch(folder: Path) -> None:
    line = "effective batch 8 = 4/process x 2 processes x 1 accumulate x 1 repeat; lr 1.0e-3 (as set)\n"
    assert (folder / "printed.txt").read_text().count(line) == 5  # trainings


def test_processes_mix_the_same_steps(folder: Path) -> None:
    """With one step an epoch, a process that mixed alone would wait for the others' share of its metric for ever."""
    with (folder / "mixed" / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["train/loss"]]
    kinds = [tuple(bool(row[f"train/{name}"]) for name in ("top1", "top1_mixed")) for row in rows]
    assert len(kinds) == 6
    assert set(kinds) == {(True, False), (False, True)}


def leaves_of(tree: object) -> list[object]:
    """What dictionaries, lists and tuples hold, in order."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [leaf for part in tree for leaf in leaves_of(part)] if isinstance(tree, list | tuple) else [tree]


def test_one_of_two_processes_killed_within_an_epoch_the_same_command_ends_alike(folder: Path, tmp_path: Path) -> None:
    settings = json.loads((folder / "trainings.json").read_text())["ddp"]
    settings["trainer"] |= {"checkpoint_minutes": 1e-6}
    (tmp_path / "trainings.json").write_text(json.dumps({"run": settings}))
    killed = run_two_processes(tmp_path, "3")
    assert killed.returncode == 1
    assert re.search("LostProcessError: another process .*ended", killed.stderr)
    stopped = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    assert (stopped["epoch"], stopped["global_step"]) == (1, 3)
    again = run_two_processes(tmp_path)
    assert again.returncode == 0, again.stderr[-5000:]
    assert "last.ckpt: in epoch 2, after 1 batches (step 3)" in again.stdout
    ended, whole = (torch.load(path / "last.ckpt", weights_only=True) for path in (tmp_path / "run", folder / "ddp"))
    assert ended["global_step"] == whole["global_step"] == 4
    for key in ("state_dict", "optimizer_states"):
        leaves = list(zip(leaves_of(ended[key]), leaves_of(whole[key]), strict=True))
        assert all(torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other for one, other in leaves)
        assert sum(isinstance(one, torch.Tensor) for one, _ in leaves) > 50

import sys
from pathlib import Path

import pytest

from stvit_video.sweeps.jobs import SweepError
from stvit_video.sweeps.start import count_job_processes, job_launch, share_of_gpus, visible_gpus
from stvit_video.training.devices import Surroundings

TRAINER = {"accelerator": "cpu", "devices": 1, "num_nodes": 1}


def started(trainer=TRAINER, *, gpus=(), num_parallel=1, place=0, overrides=("a=1",), flags=()):
    return job_launch(
        overrides,
        module="stvit_video.train",
        settings={"trainer": trainer} if trainer else {"device": "auto"},
        run_dir=Path("m/3"),
        place=place,
        num_parallel=num_parallel,
        gpus=gpus,
        flags=flags,
    )


def test_one_process_is_started_by_python():
    start = started(flags=["--config-name", "mine"])
    program = [sys.executable, "-m", "stvit_video.train", "--config-name", "mine"]
    assert start.command == [*program, "a=1", "hydra.run.dir='m/3'", "trainer.enable_progress_bar=false"]
    assert start.environment == {}


def test_several_processes_are_started_by_torchrun():
    start = started({**TRAINER, "devices": 3})
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "3", "-m", "stvit_video.train"]
    assert start.command[1:8] == torchrun


def test_a_bar_that_is_asked_for_is_kept_and_evaluations_have_none():
    kept = started(overrides=("trainer.enable_progress_bar=true",)).command
    assert kept[3:] == ["trainer.enable_progress_bar=true", "hydra.run.dir='m/3'"]
    assert started(None).command[3:] == ["a=1", "hydra.run.dir='m/3'"]


@pytest.mark.parametrize(
    ("devices", "num_parallel", "place", "processes", "visible"),
    [
        ("auto", 1, 0, 5, None),
        ("auto", 2, 0, 2, "g0,g1"),
        ("auto", 2, 1, 2, "g2,g3"),
        (1, 5, 4, 1, "g4"),
        ([1, 3], 1, 0, 2, None),
    ],
)
def test_gpus_are_shared_out(devices, num_parallel, place, processes, visible):
    gpus = [f"g{n}" for n in range(5)]
    trainer = {"accelerator": "auto", "devices": devices, "num_nodes": 1}
    start = started(trainer, gpus=gpus, num_parallel=num_parallel, place=place)
    number = start.command[start.command.index("--nproc-per-node") + 1] if processes > 1 else "1"
    assert number == str(processes)
    assert start.environment == ({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})


def test_evaluations_get_gpus_too_and_jobs_on_processors_share_the_threads(monkeypatch):
    assert started(None, gpus=["7", "9"], num_parallel=2, place=1).environment == {"CUDA_VISIBLE_DEVICES": "9"}
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 13)
    assert started(num_parallel=3, gpus=["7"]).environment == {"OMP_NUM_THREADS": "4"}
    assert started({**TRAINER, "devices": 2}, num_parallel=3).environment == {"OMP_NUM_THREADS": "2"}
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert started(num_parallel=3).environment == {}


def test_devices_that_can_not_be_had():
    with pytest.raises(SweepError, match="num_parallel=3 .*GPU each of 2;"):
        share_of_gpus(["0", "1"], place=0, num_parallel=3)
    gpu = {"accelerator": "gpu", "devices": [0, 1], "num_nodes": 1}
    with pytest.raises(SweepError, match=r"trainer.devices=\[0, 1\] .*sweep.num_parallel"):
        count_job_processes(gpu, Surroundings(num_gpus=2), alone=False)
    with pytest.raises(SweepError, match="trainer.num_nodes=4 .*sweep"):
        count_job_processes({**TRAINER, "num_nodes": 4}, Surroundings(num_gpus=0), alone=True)
    with pytest.raises(ValueError, match="trainer.devices='many' must"):
        started({**TRAINER, "devices": "many"})


def test_visible_gpus_keep_their_names():
    assert visible_gpus(3, {}) == ["0", "1", "2"]
    assert visible_gpus(2, {"CUDA_VISIBLE_DEVICES": "5, GPU-abc"}) == ["5", "GPU-abc"]
    assert visible_gpus(0, {"CUDA_VISIBLE_DEVICES": ""}) == []

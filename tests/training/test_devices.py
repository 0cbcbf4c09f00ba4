"""Devices and processes that are asked for, against those that are there."""

import re

import pytest

from stvit_video.training import devices as processes
from stvit_video.training.devices import (
    Surroundings,
    count_processes,
    device_faults,
    find_surroundings,
    gather_objects,
    local_devices,
    process_faults,
    uses_gpus,
)

BARE = Surroundings(num_gpus=0)
TWO_GPUS = Surroundings(num_gpus=2)
TORCHRUN = Surroundings(num_gpus=0, launcher="torchrun", num_processes=6, num_local=3)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, BARE),
        ({"WORLD_SIZE": "6", "LOCAL_WORLD_SIZE": "3", "SLURM_NTASKS": "8"}, TORCHRUN),
        ({"WORLD_SIZE": "6", "LOCAL_RANK": "1"}, BARE),  # a process that Lightning itself started
        (
            {"SLURM_NTASKS": "10", "SLURM_NNODES": "2", "SLURM_JOB_NAME": "train"},
            Surroundings(num_gpus=0, launcher="SLURM", num_processes=10, num_local=5),
        ),
        ({"SLURM_NTASKS": "10", "SLURM_JOB_NAME": "bash"}, BARE),
        ({"MASTER_ADDR": "a", "NODE_RANK": "0"}, Surroundings(num_gpus=0, has_address=True)),
    ],
)
def test_surroundings_by_environment_variables(monkeypatch, environ, expected):
    monkeypatch.setattr(processes.torch.cuda, "device_count", lambda: 0)
    assert find_surroundings(environ) == expected


@pytest.mark.parametrize(
    ("accelerator", "devices", "here", "expected"),
    [
        ("auto", "auto", BARE, 1),
        ("auto", "auto", TWO_GPUS, 2),
        ("cpu", "auto", TWO_GPUS, 1),
        ("gpu", -1, TWO_GPUS, 2),
        ("cpu", "auto", TORCHRUN, 3),
        ("cpu", 5, BARE, 5),
        ("cpu", "5", BARE, 5),
        ("gpu", [1], TWO_GPUS, [1]),
        ("gpu", "0,1", TWO_GPUS, [0, 1]),
    ],
)
def test_devices_of_a_machine(accelerator, devices, here, expected):
    assert local_devices(accelerator, devices, here) == expected
    number = expected if isinstance(expected, int) else len(expected)
    assert count_processes(accelerator, devices, 3, here) == 3 * number


@pytest.mark.parametrize("devices", [0, -2, 1.5, True, "many", "0,x", None, ["a"], {}])
def test_devices_that_are_no_number(devices):
    with pytest.raises(ValueError, match=f"trainer.devices={re.escape(repr(devices))} must"):
        local_devices("cpu", devices, BARE)


@pytest.mark.parametrize(
    ("accelerator", "devices", "num_nodes", "here", "fault"),
    [
        ("gpu", 8, 1, TWO_GPUS, "trainer.devices=8 asks for 8 GPUs, 2 are here; use trainer.devices=2"),
        ("auto", 8, 1, TWO_GPUS, "trainer.devices=8 asks for 8 GPUs, 2 are here"),
        ("gpu", [0, 2], 1, TWO_GPUS, r"trainer.devices=\[0, 2\] names GPU 2, the last one here is 1"),
        ("gpu", "auto", 1, BARE, "trainer.accelerator=gpu needs a GPU, and torch finds none here; use trainer=cpu"),
        ("cpu", [0, 1], 1, BARE, r"trainer.devices=\[0, 1\] names GPUs, and there is none here; give a number"),
        ("cpu", "0,0", 1, BARE, "trainer.devices='0,0' must name each GPU once"),
        (
            "cpu",
            8,
            2,
            TORCHRUN,
            "asks for 8 processes on a machine, torchrun started 3; .* torchrun --nproc_per_node 8",
        ),
        (
            "cpu",
            "auto",
            1,
            TORCHRUN,
            "num_nodes=1 does not fit the 6 processes that torchrun started, 3 on a machine; u",
        ),
        (
            "cpu",
            1,
            4,
            BARE,
            "trainer.num_nodes=4 needs a launcher that starts a process on every machine; use torchrun",
        ),
    ],
)
def test_what_is_not_there_is_one_sentence(accelerator, devices, num_nodes, here, fault):
    faults = device_faults(accelerator, devices, num_nodes, here)
    assert len(faults) == 1
    assert re.search(fault, faults[0]), faults[0]


@pytest.mark.parametrize(
    ("accelerator", "devices", "num_nodes", "here"),
    [
        ("auto", "auto", 1, BARE),
        ("cpu", 7, 1, BARE),
        ("gpu", 2, 1, TWO_GPUS),
        ("cpu", "auto", 2, TORCHRUN),
        ("cpu", 3, 2, TORCHRUN),
        ("cpu", 1, 4, Surroundings(num_gpus=0, has_address=True)),
    ],
)
def test_what_is_there_has_no_faults(accelerator, devices, num_nodes, here):
    assert device_faults(accelerator, devices, num_nodes, here) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"strategy": "fsdp", "precision": "16-mixed"}, "trainer.strategy=fsdp does not work with .*=16-mixed; use"),
        ({"sync_batchnorm": True}, "trainer.sync_batchnorm=true works on GPUs only"),
    ],
)
def test_what_does_not_go_together(changes, fault):
    plain = {"strategy": "ddp", "precision": "auto", "sync_batchnorm": False}
    assert process_faults("cpu", 2, 1, BARE, **plain) == []
    assert re.search(fault, "; ".join(process_faults("cpu", 2, 1, BARE, **plain | changes)))
    gone = process_faults("gpu", 2, 1, BARE, **plain | changes)
    assert len(gone) == 1
    assert "needs a GPU" in gone[0]


def test_one_process_needs_no_sync_and_gathers_its_own():
    assert process_faults("cpu", 1, 1, BARE, strategy="auto", precision="auto", sync_batchnorm=True) == []
    assert gather_objects(("a", 3)) == [("a", 3)]
    assert uses_gpus("auto", TWO_GPUS)
    assert not uses_gpus("mps", BARE)

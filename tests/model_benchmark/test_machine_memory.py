"""Free memory, the limit and the peak."""

import subprocess
import sys

import pytest

from stvit_video.model_benchmark import machine_memory
from stvit_video.model_benchmark.machine_memory import available_bytes

LIMITED = """
import torch
from stvit_video.model_benchmark import machine_memory
from stvit_video.utils.memory_errors import is_short_of_memory
machine_memory.available_bytes = lambda: 2**28
machine_memory.limit_memory()
torch.zeros(2**25)  # 128 MB of 4-byte values: half of what is free
try:
    torch.zeros(2**27)
except RuntimeError as error:
    assert is_short_of_memory(error), error
    print("refused")
"""
PEAKS = """
from stvit_video.model_benchmark.machine_memory import give_back, peak_bytes
print(peak_bytes())
held = bytearray(2**27)
print(peak_bytes())
del held
give_back()
print(peak_bytes())
"""


def files(tmp_path, monkeypatch, *, free: str, limit: str = "", used: str = "") -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 9 kB\n{free}")
    for name, text in (("memory.max", limit), ("memory.current", used)):
        if text:
            (tmp_path / name).write_text(text)
    monkeypatch.setattr(machine_memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine_memory, "CGROUP", tmp_path)


@pytest.mark.parametrize(
    ("free", "limit", "used", "available"),
    [
        ("MemAvailable:   7 kB\n", "", "", 7168),
        ("MemAvailable:   7 kB\n", "max\n", "300\n", 7168),
        ("MemAvailable:   7 kB\n", "5000\n", "300\n", 4700),
        ("", "5000\n", "300\n", 4700),
        ("", "", "", None),
    ],
)
def test_what_is_free_in_the_machine_and_its_container(tmp_path, monkeypatch, free, limit, used, available):
    files(tmp_path, monkeypatch, free=free, limit=limit, used=used)
    assert available_bytes() == available


@pytest.mark.skipif(sys.platform != "linux", reason="the limit and the files are Linux's")
def test_beyond_the_limit_an_allocation_is_an_error_and_no_kill():
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_nothing_is_limited_where_nobody_knows_what_is_free(tmp_path, monkeypatch):
    files(tmp_path, monkeypatch, free="")
    before = machine_memory.resource.getrlimit(machine_memory.resource.RLIMIT_DATA)
    machine_memory.limit_memory()
    assert machine_memory.resource.getrlimit(machine_memory.resource.RLIMIT_DATA) == before


def test_the_peak_stays_and_is_not_that_of_the_process_that_started_this_one():
    held = bytearray(2**29)
    done = subprocess.run([sys.executable, "-c", PEAKS], capture_output=True, text=True, check=True)
    before, within, after = map(int, done.stdout.split())
    assert before < len(held) // 4
    assert within >= before + 0.9 * 2**27
    assert after >= 0.99 * within

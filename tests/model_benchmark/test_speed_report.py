"""The head, the flags of the processor and the files of a run."""

import json

import pytest
from speed_rows import measured_rows

from stvit_video.model_benchmark.entrant import HowMeasured
from stvit_video.model_benchmark.speed_report import (
    draw_pictures,
    head_lines,
    machine_facts,
    write_results,
)
from stvit_video.utils.processor import cpu_flags

HOW = HowMeasured(batch_sizes=(1, 2), seconds=1.0, threads=1, is_training=False)


@pytest.fixture
def facts(tmp_path):
    found = machine_facts(load_before=0.25)
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nflags : fpu avx2 avx512f amx_tile\nprocessor : 1\nflags : fpu\n")
    return {**found, "cpu_flags": cpu_flags(info)}


def test_the_head_says_where_and_how(facts):
    words = "\n".join(head_lines(facts, measured_rows(), HOW))
    for text in ("1 thread, load 0.2 before", "AMX, no AMX-BF16", "torchvision ", "CPU time", "3 rounds", "GFLOP/s"):
        assert text in words
    assert f"commit {facts['commit']}" in words
    broken = measured_rows()
    broken.matrix["fp32"].cpu_seconds.clear()
    broken.matrix["fp32"].failure = "no room"
    training = HowMeasured(batch_sizes=(1,), seconds=1.0, threads=2, is_training=True)
    broken.matrix["fp32"].wall_seconds.clear()
    words = "\n".join(head_lines({**facts, "load_before": None, "cpu_flags": {}}, broken, training))
    for text in ("2 threads, load unknown", "training steps", "wall time", "fp32 failed (no room)"):
        assert text in words


def test_files(facts, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    results = write_results(folder, measured_rows(), facts=facts, how=HOW, settings={"rounds": 3})
    content = json.loads((folder / "models.json").read_text())
    assert content["settings"] == {"rounds": 3}
    assert content["machine"]["versions"]["timm"]
    assert content["matrix_operations_per_second"]["fp32"] == pytest.approx(2 * 2048**3 / 10)
    assert [row["label"] for row in content["rows"]] == [row.label for row in results]
    assert content["rows"][5]["passes"]["cpu_seconds"] == [2.0, 3.0, 4.0]
    drawn = draw_pictures(folder, results)
    assert [path.name for path in drawn] == ["images_fp32_eager_batch_1.png", "images_fp32_eager_batch_2.png"]
    assert all(path.is_file() for path in drawn)
    assert draw_pictures(folder, results[:1]) == []
    assert not drawn[0].exists()  # a picture of an earlier run does not stay

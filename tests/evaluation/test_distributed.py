"""Two real processes against one: the same bytes, and an end with a reason when a process fails."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stvit_video.evaluation.distributed import (
    ProcessFailedError,
    evaluate_distributed,
    process_group,
    rank_and_world_size,
)
from stvit_video.evaluation.ledger.offline import evaluate_ledger
from stvit_video.evaluation.ledger.parquet import read_ledger
from stvit_video.evaluation.multiview import in_manifest_order

WORKER = Path(__file__).parents[1] / "helpers" / "shard_worker.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory) -> Path:
    """The folder in which two processes have left their ledgers and errors."""
    folder = tmp_path_factory.mktemp("two processes")
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    paths = os.pathsep.join([str(WORKER.parents[2]), os.environ.get("PYTHONPATH", "")])
    started = [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(folder)],
            env={**os.environ, **common, "RANK": str(rank), "PYTHONPATH": paths},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        outputs = [process.communicate(timeout=240)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 3], "\n".join(outputs)
    return folder


@pytest.mark.parametrize(("name", "used", "listed"), [("seven", 5, 7), ("one", 1, 1), ("several", 4, 6)])
def test_two_processes_give_the_ledger_of_one_to_the_last_byte(two_processes, name, used, listed):
    alone, shards = (two_processes / f"{name}-{way}.parquet" for way in ("alone", "shards"))
    assert alone.read_bytes() == shards.read_bytes()
    ledger = read_ledger(shards)
    assert (ledger.result.num_used, ledger.result.num_listed) == (used, listed)
    assert evaluate_ledger(ledger).metrics == evaluate_ledger(read_ledger(alone)).metrics
    assert not list((two_processes / "shards").iterdir())


def test_several_labels_travel_between_processes(two_processes):
    ledger = read_ledger(two_processes / "several-shards.parquet")
    assert ledger.labels == ((), (0,), (0, 1), (0, 1, 2), (), (0,))
    assert ledger.result.indices.tolist() == [1, 2, 4, 5]
    assert ledger.result.labels.int().tolist() == [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]
    assert 0 < evaluate_ledger(ledger, num_resamples=0).metrics["mean_average_precision"] <= 1


def test_two_processes_give_the_detections_and_scores_of_one(two_processes):
    for what in ("detections", "scores"):
        alone, shards = (two_processes / f"{what}-{way}.json" for way in ("alone", "shards"))
        assert alone.read_bytes() == shards.read_bytes()
    values, errors = json.loads((two_processes / "scores-shards.json").read_text())
    assert 0 < values["segm"]["AP"] < 1
    assert errors == [[101, "broken"]]


def test_a_process_that_fails_ends_the_other_with_its_reason(two_processes):
    first, second = (json.loads((two_processes / f"rank{rank}.json").read_text()) for rank in range(2))
    assert second["second fails"] == "ArithmeticError: NaN in video 3.mp4"
    assert first["second fails"] == "ProcessFailedError: process 1 of 2 failed: ArithmeticError: NaN in video 3.mp4"
    assert first["first fails"] == "ArithmeticError: NaN in video 3.mp4"
    assert "of the shares is gone: process 0 has failed or given up, see its output" in second["first fails"]


def test_a_process_that_is_killed_ends_the_other_after_the_timeout(two_processes):
    texts = json.loads((two_processes / "rank0.json").read_text())
    assert texts["second is killed"] == (
        "ProcessFailedError: process 1 of 2 gave no result within 0.5 s of process 0; "
        "it may have been killed (see its output), or be slower: evaluate in one process"
    )


def test_a_folder_that_can_not_be_written_ends_both(two_processes):
    for rank in range(2):
        text = json.loads((two_processes / f"rank{rank}.json").read_text())["bad folder"]
        assert text.startswith("ProcessFailedError: the folder ")
        assert text.endswith("can't be written (Not a directory); give another one")


def test_one_process_alone_needs_no_group_and_no_folder(tmp_path, monkeypatch, result):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with process_group() as alone:
        assert alone == rank_and_world_size() == (0, 1)
        got = evaluate_distributed(lambda: result, folder=tmp_path / "never made")
    assert got is not None
    assert torch.equal(got.view_logits, in_manifest_order(result).view_logits)
    assert not (tmp_path / "never made").exists()


def test_a_process_whose_partner_never_comes_says_so(monkeypatch):
    variables = {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(ProcessFailedError, match="find one another"),
        process_group(timeout_seconds=1),
    ):
        pass

"""Signals: noted, not obeyed at once; and the words to SLURM."""

import os
import re
import signal
import time
from types import SimpleNamespace

import pytest

from stvit_video.training.callbacks.interruption import (
    STOP_SIGNALS,
    StopSignals,
    TrainingInterruptedError,
    requeue_slurm_job,
    signals_given_back,
)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGUSR1, 138), (signal.SIGINT, 130)])
def test_the_first_signal_is_noted(number, status):
    """That Lightning gives the signals back is seen in test_checkpointing."""
    before = {stop: signal.getsignal(stop) for stop in STOP_SIGNALS}
    signals = StopSignals()
    signals.on_sanity_check_start(SimpleNamespace(received_sigterm=False), None)
    try:
        assert signals.received == 0
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        for stop, handler in before.items():
            signal.signal(stop, handler)
    assert signals.received == number
    assert TrainingInterruptedError("", signal_number=number).exit_status == status


def test_signals_are_given_back_after_an_error():
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    signals = StopSignals()

    def interrupted_twice():
        with signals_given_back():
            signals.on_train_start(SimpleNamespace(received_sigterm=False), None)
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupted_twice()
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


def test_a_second_ctrl_c_ends_at_once():
    signals = StopSignals()
    signals._note(signal.SIGINT, None)
    signals._note(signal.SIGTERM, None)
    with pytest.raises(KeyboardInterrupt):
        signals._note(signal.SIGINT, None)
    assert signals.received == signal.SIGINT


@pytest.mark.parametrize("in_list", [False, True])
def test_ctrl_c_while_data_are_waited_for_ends_at_once(in_list):
    loader = SimpleNamespace(is_waiting=False)
    trainer = SimpleNamespace(
        received_sigterm=False,
        train_dataloader=SimpleNamespace() if in_list else loader,
        val_dataloaders=[loader] if in_list else None,
    )
    signals = StopSignals(patience_seconds=0.2)

    def work():
        with signals_given_back():
            signals.on_train_start(trainer, None)
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.8)  # a long step is waited for
            loader.is_waiting = True
            time.sleep(20)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        work()
    assert 0.8 <= time.monotonic() - start < 10


def test_a_training_that_stops_by_itself_is_left_alone():
    signals = StopSignals(patience_seconds=0.2)
    with signals_given_back():
        trainer = SimpleNamespace(received_sigterm=False, train_dataloader=SimpleNamespace(is_waiting=True))
        signals.on_train_start(trainer, None)
        signal.raise_signal(signal.SIGINT)
        signals.on_exception(trainer, None, TrainingInterruptedError("", signal_number=2))
        time.sleep(0.6)
    assert signals.received == signal.SIGINT


def test_what_lightning_has_noted_before_counts(monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    signals = StopSignals()
    signals.on_train_start(SimpleNamespace(received_sigterm=True), None)
    assert signals.received == signal.SIGTERM


def scontrol(folder, script):
    path = folder / "scontrol"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("job", "name"),
    [
        ({"SLURM_JOB_ID": "57"}, "57"),
        ({"SLURM_JOB_ID": "57", "SLURM_ARRAY_JOB_ID": "55", "SLURM_ARRAY_TASK_ID": "2"}, "55_2"),
    ],
)
def test_the_job_is_queued_again(tmp_path, monkeypatch, job, name):
    environ = scontrol(tmp_path, f'echo "$@" > "{tmp_path}/asked"')
    monkeypatch.setenv("PATH", environ["PATH"])
    assert requeue_slurm_job({**environ, **job}) == f"SLURM job {name} is queued again"
    assert (tmp_path / "asked").read_text() == f"requeue {name}\n"


def test_what_slurm_does_not_do_is_said(tmp_path, monkeypatch):
    assert requeue_slurm_job({}) == ""
    assert requeue_slurm_job({"SLURM_JOB_ID": "57; rm"}) == ""
    environ = {**scontrol(tmp_path, "echo no such job >&2; exit 3"), "SLURM_JOB_ID": "57"}
    monkeypatch.setenv("PATH", environ["PATH"])
    # the whole sentence, once for its family
    assert requeue_slurm_job(environ) == "SLURM job 57 could not be re-queued: no such job"
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    words = requeue_slurm_job({"SLURM_JOB_ID": "57", "PATH": str(tmp_path / "none")})
    assert re.search(r"57 .*scontrol .*\(No such file or directory\)$", words)

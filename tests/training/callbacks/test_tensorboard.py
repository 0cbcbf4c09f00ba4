"""Against the file system: a limit of what a process may write to a file stands for a full disk."""

import subprocess
import sys
import threading

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from stvit_video.training.callbacks.tensorboard import TensorBoardLog, no_tracebacks_of_writers

FILL = """
import resource, sys, time
from pathlib import Path
from stvit_video.training.callbacks.tensorboard import TensorBoardLog, no_tracebacks_of_writers
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
with no_tracebacks_of_writers():
    log = TensorBoardLog(Path(sys.argv[1]))
    for step in range(int(sys.argv[2])):
        try:
            log.log_metrics({"train/loss": 0.5}, step=step)
            log.save()
        except OSError as error:
            print(type(error).__name__, error, flush=True)
            break
    try:
        log.finalize("failed")
    except OSError as error:
        print(type(error).__name__, error, flush=True)
"""


def test_values_arrive_in_the_folder_of_the_run(tmp_path):
    log = TensorBoardLog(tmp_path)
    log.log_metrics({"train/loss": 0.25}, step=3)
    log.finalize("success")
    (file,) = (tmp_path / "tensorboard").glob("events.*")
    values = [(event.step, value.tag) for event in EventFileLoader(str(file)).Load() for value in event.summary.value]
    assert values == [(3, "train/loss")]


def test_a_full_disk_is_one_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path), "100"], capture_output=True, text=True, check=True, timeout=240
    )
    sentence = (  # the whole sentence, once for its family
        f"LogWriteError {tmp_path}/tensorboard can't be written (File too large); the checkpoints are as they were: "
        "make room or mend the disk, then start the same command again"
    )
    assert done.stdout.splitlines() == [sentence, sentence]
    assert "Traceback" not in done.stderr


def test_a_value_of_another_kind_is_no_fault_of_the_disk(tmp_path):
    with pytest.raises(ValueError, match="which is currently not supported"):
        TensorBoardLog(tmp_path).log_metrics({"a": "b"}, step=0)


def test_other_threads_keep_their_tracebacks(monkeypatch):
    seen = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: seen.append(failure.exc_value))
    mine = threading.excepthook

    def fail():
        raise OSError(28, "No space left on device")

    with no_tracebacks_of_writers():
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    assert [error.errno for error in seen] == [28]
    assert threading.excepthook is mine

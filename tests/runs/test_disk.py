import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import torch

from stvit_video.models import create_model
from stvit_video.runs import disk
from stvit_video.runs.disk import checkpoint_bytes, disk_space_fault, folder_faults
from stvit_video.settings.optim_settings import OptimSettings

OPTIM = OptimSettings()


def test_a_folder_that_can_not_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    assert folder_faults(tmp_path / "a" / "b") == folder_faults(tmp_path) == []
    # the whole sentence, once for its family
    message = f"{tmp_path}/file/run can't be the folder of a run, {tmp_path}/file is no folder; choose another folder"
    assert folder_faults(tmp_path / "file" / "run") == [f"{message} with hydra.run.dir"]

    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(disk.tempfile, "TemporaryFile", refuse)
    (fault,) = folder_faults(tmp_path / "a")
    assert re.match(rf"{tmp_path} .*written \(Permission denied\)", fault)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_size_of_a_checkpoint_by_hand():
    """1000 weights, 8 more that are not trained, and 3 numbers that are no weights."""
    module = torch.nn.ParameterList([torch.zeros(1000), torch.nn.Parameter(torch.zeros(8), requires_grad=False)])
    module.register_buffer("three", torch.zeros(3))
    assert checkpoint_bytes(module, OPTIM) == 4 * (1011 + 2 * 1000)
    assert checkpoint_bytes(module, OptimSettings(ema_decay=0.9), precision="bf16-true") == 2 * (2 * 1011 + 2 * 1000)
    assert checkpoint_bytes(module, OptimSettings(optimizer="sgd")) == 4 * (1011 + 1000)
    assert checkpoint_bytes(module, OptimSettings(optimizer="sgd", momentum=0.0), precision="64") == 8 * 1011
    with torch.device("meta"):
        model = create_model("deit_tiny", embed_dim=12, num_heads=2, depth=3)
    real = create_model("deit_tiny", embed_dim=12, num_heads=2, depth=3)
    assert checkpoint_bytes(model, OPTIM) == checkpoint_bytes(real, OPTIM)


def test_sizes_in_words():
    words = {0: "0 bytes", 999: "999 bytes", 4200: "4.2 kB", 8_090_000: "8.09 MB", 3_280_000_000: "3.28 GB"}
    assert {number: disk.size_words(number) for number in words} == words


def test_what_lies_there_already_is_room(tmp_path, monkeypatch):
    free = 4 * 3000
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    assert disk_space_fault(tmp_path / "new", 3000) == ""
    free -= 100
    fault = disk_space_fault(tmp_path, 3000)
    assert fault.endswith("make room, or choose a folder on another disk with hydra.run.dir")
    assert "room for 11.9 kB of checkpoints, the run keeps 4 of 3 kB" in fault
    Path(tmp_path, "last.ckpt").write_bytes(bytes(100))
    assert disk_space_fault(tmp_path, 3000) == ""

"""The settings that commands share are those of the commands, not copies."""

from dataclasses import replace

import pytest

from stvit_video import benchmark, predict
from stvit_video.inference.shared_settings import CKPT_PATH, DEVICE, PROTOCOL, TIME_LIMIT, VIEWS


@pytest.mark.parametrize("command", [predict.COMMAND, benchmark.PREDICT])
def test_commands_have_them(command):
    settings = {setting.name: setting for setting in command.settings}
    shared = {setting.name: setting for setting in (CKPT_PATH, DEVICE, PROTOCOL, TIME_LIMIT, *VIEWS)}
    both = settings.keys() & shared.keys()
    assert {"ckpt_path", "device", "protocol"} <= both
    assert all(replace(settings[name], stand_ins=()) == shared[name] for name in both)


def test_what_they_take():
    assert PROTOCOL.read("videoswin") == "videoswin"
    with pytest.raises(ValueError, match="protocol='best' must be one of uniform, single"):
        PROTOCOL.read("best")
    with pytest.raises(ValueError, match="time_limit_seconds='0' .*above 0"):
        TIME_LIMIT.read("0")

import re
from types import SimpleNamespace

import pytest

from stvit_video.sweeps.jobs import SweepError
from stvit_video.sweeps.settings import check_axes, check_flags, read_sweep, refuse_settings


def test_all_faults_of_the_settings_are_told_together():
    with pytest.raises(SweepError, match=r"sweep.num_parallel='x' .*at least 1; sweep.grace_seconds=-1 .*at least 0"):
        read_sweep({"num_parallel": "x", "grace_seconds": -1})
    assert read_sweep({"also": "a=1", "time_limit_minutes": 2, "grace_seconds": 0}).extras == ["a=1"]
    assert read_sweep({"also": ["a=1", "b=2"]}).extras == ["a=1", "b=2"]


def test_unknown_settings_and_other_kinds_of_extras_are_refused():
    message = (  # the whole sentence, once for its family
        "^sweep.minutes is unknown; a sweep has name, also, num_parallel, time_limit_minutes, grace_seconds$"
    )
    with pytest.raises(SweepError, match=message):
        read_sweep({"num_parallel": 2, "minutes": 3})
    with pytest.raises(SweepError, match="sweep.also=3 .*overrides"):
        read_sweep({"also": 3})


@pytest.mark.parametrize("name", ["WORLD_SIZE", "SLURM_STEP_NUM_TASKS"])
def test_several_processes_are_not_several_sweeps(name):
    flags = SimpleNamespace(config_dir=None, config_path=None)
    with pytest.raises(SweepError, match="-m .*4 processes, .*whole sweep"):
        check_flags(flags, {name: "4"})
    assert check_flags(flags, {name: "1"}) is None
    with pytest.raises(SweepError, match="-m .*no --config-dir and no --config-path"):
        check_flags(SimpleNamespace(config_dir=None, config_path="x"), {})


def test_keys_that_sweeps_do_not_take():
    for key in ("hydra.run.dir", "++run", "hydra.sweeper.max_batch_size"):
        with pytest.raises(SweepError, match=f"{re.escape(key)} .*no place in a sweep"):
            check_axes(["seed", key], module="stvit_video.evaluate")
    with pytest.raises(SweepError, match="ckpt_path .*no place in a sweep"):
        check_axes(["ckpt_path"], module="stvit_video.train")
    assert check_axes(["ckpt_path", "runs"], module="stvit_video.evaluate") is None


def test_settings_without_an_effect_are_refused():
    with pytest.raises(SweepError, match=r"\+sweep.name=a would do nothing"):
        refuse_settings(["seed=0", "+sweep.name=a"], "would do nothing")
    assert refuse_settings(["sweeps=1", "data.sweep.x=2"], "would do nothing") is None

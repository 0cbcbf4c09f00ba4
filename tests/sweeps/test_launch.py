"""`-m` from the command line to the jobs: with a fake job in this process, and once with real trainings."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException

from stvit_video.settings.paths import CONF_DIR
from stvit_video.sweep import main as report
from stvit_video.sweeps import launch
from stvit_video.sweeps.jobs import SweepError, read_jobs
from stvit_video.sweeps.launch import launch_sweep, run_with_sweeps
from stvit_video.utils.command_line import Command

pytestmark = pytest.mark.commands

FAKES = Path(__file__).parents[1] / "helpers"


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """Runs sweeps of the fake job in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(FAKES))
    for name in ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: launch_sweep(["-m", *arguments], module="fake_job", config_name="train")


def jobs_of(folder):
    return {job.overrides: job for job in read_jobs(Path(folder) / "jobs.csv")}


def num_starts(folder):
    return [len(path.read_text().splitlines()) for path in sorted(Path(folder).glob("*/starts"))]


def test_a_grid_with_a_failure_and_the_same_command_again(sweep, capsys):
    command = ("model.num_tokens=8,16", "+do=once,fail", "sweep.name=grid", "sweep.time_limit_minutes=0.02")
    assert sweep(*command) == 1
    jobs = jobs_of("multirun/grid")
    assert [(*overrides, job.state) for overrides, job in jobs.items()] == [
        ("model.num_tokens=8", "+do=once", "timed out"),
        ("model.num_tokens=8", "+do=fail", "failed"),
        ("model.num_tokens=16", "+do=once", "timed out"),
        ("model.num_tokens=16", "+do=fail", "failed"),
    ]
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "sweep multirun/grid: 4 jobs to run, one after the other; multirun/grid/jobs.csv tells of each"
    assert told[1] == "[0] model.num_tokens=8 +do=once runs, output in multirun/grid/0/output.txt"
    assert told[-1].startswith("sweep multirun/grid: 2 timed out, 2 failed; the same command again runs those that")
    assert sweep(*command, "sweep.num_parallel=2") == 1
    assert [job.state for job in jobs_of("multirun/grid").values()] == ["done", "failed", "done", "failed"]
    assert num_starts("multirun/grid") == [2, 2, 2, 2]
    assert sweep(*command) == 1
    assert num_starts("multirun/grid") == [2, 3, 2, 3]
    assert not GlobalHydra.instance().is_initialized()


def test_without_a_name_the_same_command_goes_on_where_it_stopped(sweep, capsys):
    assert sweep("seed=0,1", "+do=once", "sweep.time_limit_minutes=0.02") == 1
    (folder,) = Path("multirun").glob("*/*")
    assert sweep("seed=0,1", "+do=once") == 0
    assert [path.parent for path in Path("multirun").glob("*/*/jobs.csv")] == [folder]
    assert num_starts(folder) == [2, 2]
    assert "2 done; python -m stvit_video.sweep multirun/" in capsys.readouterr().out


def test_axes_of_a_named_sweep_may_grow_and_another_sweep_is_refused(sweep):
    assert sweep("seed=0,1", "sweep.name=a") == 0
    assert sweep("seed=2,0,1", "sweep.name=a") == 0
    assert [job.number for job in jobs_of("multirun/a").values()] == [0, 1, 2]
    assert num_starts("multirun/a") == [1, 1, 1]
    with pytest.raises(SweepError, match=r"multirun/a holds another sweep: its job 0 \(seed=0\)"):
        sweep("seed=5", "sweep.name=a")
    origin = json.loads(Path("multirun/a/sweep.json").read_text())
    assert origin["module"] == "fake_job"
    Path("multirun/a/sweep.json").write_text(json.dumps(origin | {"settings": "of another day"}))
    with pytest.raises(SweepError, match="the configuration files have changed since the sweep in multirun/a"):
        sweep("seed=2,0,1", "sweep.name=a")


def test_a_given_folder_and_extra_jobs_for_each_seed(sweep):
    extra = "'model=video_deit_tiny model.pool=mean'"
    assert sweep("hydra.sweep.dir=here/it is", "model.num_tokens=8,16", "seed=0,1", f"sweep.also={extra}") == 0
    jobs = list(jobs_of("here/it is"))
    assert jobs[:2] == [("model.num_tokens=8", "seed=0"), ("model.num_tokens=8", "seed=1")]
    assert jobs[4:] == [(f"seed={n}", "model=video_deit_tiny", "model.pool=mean") for n in (0, 1)]
    assert (Path("here/it is/5/result.json")).is_file()


def test_interpolations_in_an_extra_job_are_those_of_the_job(sweep):
    extra = "'model=video_deit_tiny init_from=${model.name}_${seed}.ckpt'"
    common = ["seed=0,1", "model.reducer=semantic,tome", "init_from=${model.reducer}_${seed}.ckpt"]
    assert sweep("sweep.name=a", *common, f"sweep.also={extra}") == 0
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        starts = [compose("train", overrides=list(overrides)).init_from for overrides in jobs_of("multirun/a")]
    grid = ["semantic_0.ckpt", "tome_0.ckpt", "semantic_1.ckpt", "tome_1.ckpt"]
    assert starts == [*grid, "video_deit_tiny_0.ckpt", "video_deit_tiny_1.ckpt"]


def test_axes_of_the_configuration_and_several_extras(sweep, tmp_path):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    axes = "hydra:\n  sweeper:\n    params:\n      seed: 3,4\nsweep:\n  also: [model=deit_tiny, model=a]\n"
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{axes}")
    assert sweep(f"hydra.searchpath=[file://{tmp_path}/conf]", "+experiment=mine", "sweep.name=a") == 1
    common = (f"hydra.searchpath=[file\\://{tmp_path}/conf]", "+experiment=mine")  # as Hydra writes it
    jobs = jobs_of("multirun/a")
    assert list(jobs) == [
        ("seed=3", *common),
        ("seed=4", *common),
        ("seed=3", *common, "model=deit_tiny"),
        ("seed=4", *common, "model=deit_tiny"),
        ("seed=3", *common, "model=a"),
        ("seed=4", *common, "model=a"),
    ]
    states = [job.state for job in jobs.values()]
    assert states == ["done"] * 4 + ["failed"] * 2
    assert "Could not find 'model/a'" in jobs[("seed=4", *common, "model=a")].message


def test_jobs_without_a_configuration_fail_alone(sweep):
    assert sweep("data=csv,ucf101", "data.split=2", "sweep.name=a") == 1
    plain, official = jobs_of("multirun/a").values()
    assert (plain.state, official.state) == ("failed", "done")
    assert plain.message.startswith("Could not override 'data.split'. To append to your config use +data.split")
    message = (
        r"^model.num_tokenz is no setting; did you mean model.num_tokens\?; optim.lrr is no setting; did you mean "
        r"optim.lr\?; data.split belongs to another choice than these, such as another data=...; leave it out$"
    )
    with pytest.raises(SweepError, match=message):
        sweep("model.num_tokenz=1,2,3", "optim.lrr=1", "data.split=2", "sweep.name=b")
    assert not Path("multirun/b").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["hydra.run.dir=x"],
            "hydra.run.dir has no place in a sweep: each job has a folder of its own; use sweep.name",
        ),
        (["run=x"], "run has no place in a sweep: it is the name of one training; use sweep.name"),
        (["hydra.sweep.subdir=x"], "hydra.sweep.subdir has no place in a sweep: the folders of the jobs are named by"),
        (["sweep.name=a/b"], "sweep.name='a/b' must be a word"),
        (["sweep.name=a", "hydra.sweep.dir=b"], "sweep.name and hydra.sweep.dir both say where the sweep lies"),
        (
            ["sweep.num_parallel=0", "sweep.time_limit_minutes=-1"],
            "sweep.num_parallel=0 must be a whole number at least",
        ),
        (["--config-dir", "/x"], r"-m takes no --config-dir and no --config-path; give hydra.searchpath=\[file:///"),
        (["sweep.also=[3]"], r"sweep.also=\[3\] must be overrides"),
    ],
)
def test_what_a_sweep_can_not_be(sweep, arguments, words):
    with pytest.raises(SweepError, match=words):
        sweep("seed=0,1", *arguments)


def test_trainings_do_not_begin_at_one_checkpoint(sweep):
    with pytest.raises(SweepError, match="ckpt_path has no place in a sweep: each job goes on from its own"):
        launch_sweep(["-m", "ckpt_path=a"], module="stvit_video.train", config_name="train")


def test_a_launcher_of_hydras_is_left_to_hydra(sweep):
    assert sweep("seed=0,1", "hydra/launcher=basic") is None
    assert sweep("seed=0,1", "hydra/sweeper=basic") is None
    with pytest.raises(SweepError, match="sweep.name=a is for jobs that are not run by one of Hydra's launchers"):
        sweep("seed=0,1", "hydra/launcher=basic", "sweep.name=a")
    with pytest.raises(HydraException, match="hydra/launcher/submitit_slum"):
        sweep("seed=0,1", "hydra/launcher=submitit_slum")
    assert not Path("multirun").exists()


def test_another_configuration_is_handed_to_the_jobs(sweep, monkeypatch):
    started = []
    monkeypatch.setattr(launch.SweepRunner, "run", lambda self: started.append(self.start(self.table.jobs[0], 0)) or 0)
    assert sweep("--config-name", "evaluate", "model.num_tokens=8,16", "ckpt_path=a.ckpt", "device=cpu") == 1
    own = "hydra.run.dir='"
    assert [text.partition("'")[0] + "'" * text.startswith(own) for text in started[0].command[2:]] == [
        "fake_job",
        "--config-name",
        "evaluate",
        "model.num_tokens=8",
        "ckpt_path=a.ckpt",
        "device=cpu",
        own,
    ]


def test_m_may_stand_anywhere(sweep):
    assert launch_sweep(["seed=0,1", "-m", "sweep.name=a"], module="fake_job", config_name="train") == 0
    assert len(jobs_of("multirun/a")) == 2


@pytest.mark.parametrize("arguments", [["seed=0"], ["-m", "--cfg", "job"], ["--help"], ["-m", "--info"]])
def test_other_commands_are_no_sweeps(arguments):
    assert launch_sweep(arguments, module="stvit_video.train", config_name="train") is None


COMMAND = Command(prog="python -m fake_job", summary="A fake.", examples=())


@pytest.fixture
def exit_of(monkeypatch, capsys):
    """A function: arguments -> status and stderr of the command."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["train", *arguments])
        with pytest.raises(SystemExit) as caught:
            run_with_sweeps(lambda: None, module="fake_job", config_name="train", command=COMMAND)
        return caught.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["-m", "run=x"], 2, "error: run has no place in a sweep"),
        (["sweep.name=x"], 2, "error: sweep.name=x is about several jobs; add -m, or leave it out\n"),
        (["-m", "seed=interval(0,1)"], 2, "error: seed=interval(0,1) has no end"),
        (["-m", "model.num_tokenz=1,2"], 2, "error: model.num_tokenz is no setting; did you mean model.num_tokens?\n"),
        (["-m", "seed=0", "+do=fail"], 1, ""),
    ],
)
def test_the_command_ends_with_a_sentence_or_a_status(sweep, exit_of, arguments, status, words):
    code, told = exit_of(*arguments)
    assert code == status
    assert told.startswith(words)
    assert "Traceback" not in told


def test_without_m_the_command_itself_runs(sweep, monkeypatch):
    called = []
    monkeypatch.setattr(sys, "argv", ["train", "seed=0"])
    run_with_sweeps(lambda: called.append(sys.argv), module="fake_job", config_name="train", command=COMMAND)
    assert called == [["train", "seed=0"]]


def test_debug_is_taken_off_and_handed_to_the_jobs(sweep, exit_of, monkeypatch):
    code, told = exit_of("-m", "--debug", "run=x")
    assert code == 2
    assert told.startswith("Traceback")
    started = []
    monkeypatch.setattr(launch.SweepRunner, "run", lambda self: started.append(self.start(self.table.jobs[0], 0)) or 15)
    assert exit_of("--debug", "-m", "seed=0,1")[0] == 143
    assert started[0].command[2:5] == ["fake_job", "--debug", "seed=0"]


def test_a_stopped_sweep_has_the_status_of_its_signal(sweep, monkeypatch):
    monkeypatch.setattr(launch.SweepRunner, "run", lambda self: 15)
    assert sweep("seed=0") == 143


TINY = [
    "data=csv",
    "data.num_frames=4",
    "data.short_side=20",
    "data.crop_size=16",
    "data.batch_size=2",
    "data.num_workers=0",
    "model=stvit_video_deit_tiny",
    "model.patch_size=4",
    "model.embed_dim=8",
    "model.num_heads=2",
    "model.depth=4",
    "model.generate_at=1",
    "optim.warmup_epochs=0",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=1",
    "protocol.num_clips=1",
    "protocol.num_crops=1",
]


def test_two_real_trainings_and_their_report(tiny_run, tmp_path):
    lists = [f"data.train='{tiny_run.manifest}'", f"data.val='{tiny_run.manifest}'"]
    sweep = ["-m", *TINY, *lists, "model.num_tokens=4,8", "sweep.name=tiny", "sweep.num_parallel=2"]
    command = [sys.executable, "-m", "stvit_video.train", *sweep]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report([str(tmp_path / "multirun" / "tiny")]) == 0
    assert [job.state for job in jobs_of(tmp_path / "multirun" / "tiny").values()] == ["done", "done"]
    with (tmp_path / "multirun" / "tiny" / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["num_tokens"] for row in rows] == ["4", "8"]
    assert float(rows[0]["gmacs_per_view"]) < float(rows[1]["gmacs_per_view"])
    results = [json.loads((tmp_path / "multirun" / "tiny" / n / "result.json").read_text()) for n in "01"]
    assert [result["num_tokens"] for result in results] == [4, 8]
    assert [f"{result['top1']:.4f}" for result in results] == [row["top1_mean"] for row in rows]
    assert {path.name for path in (tmp_path / "multirun" / "tiny").glob("report.*")} == {
        "report.csv",
        "report.png",
        "report.html",
    }

import pytest
from page_commands import command_faults, ours_of, simple_commands

TRAIN = "python -m stvit_video.train"


def test_simple_commands():
    text = 'find "a b" -name "*.mp4" | python -m x \\\n  y=1 > out.txt && ls; A=1 B  # a comment | not\n# a comment\n'
    found = [["find", "a b", "-name", "*.mp4"], ["python", "-m", "x", "y=1"], ["ls"], ["A=1", "B"]]
    assert simple_commands(text) == found


@pytest.mark.parametrize(
    ("line", "ours"),
    [
        ("OMP_NUM_THREADS=1 python -m stvit_video.train a=1", ("train", ["a=1"])),
        ("torchrun --nproc_per_node 2 -m stvit_video.evaluate b=1 -m", ("evaluate", ["b=1", "-m"])),
        ("sbatch --nodes 4 scripts/slurm.sh run=x", ("scripts/slurm.sh", ["run=x"])),
        ("bash scripts/test.sh tests/data", ("scripts/test.sh", ["tests/data"])),
        ("python scripts/evaluate_clips.py c=1", ("scripts/evaluate_clips.py", ["c=1"])),
        ("python -m stvit_video", ("__main__", [])),
        ("python -m pip install stvit_video", None),
        ("ls stvit_video", None),
    ],
)
def test_commands_of_ours(line, ours):
    assert ours_of(line.split()) == ours


@pytest.mark.parametrize(
    "text",
    [
        f"{TRAIN} +experiment=quickstart trainer.max_epochs=3",
        f"{TRAIN} -m +experiment=quickstart model.num_tokens=8,16 \\\n  "
        "sweep.also='model=video_deit_tiny model.num_tokens=null'",
        "sbatch --nodes 4 scripts/slurm.sh run=k400 +experiment=k400 data.root=/data/k400 init_from=deit_small.pth",
        "torchrun --nproc_per_node 2 -m stvit_video.train trainer=cpu data=csv data.train=a.csv data.val=b.csv",
        "python -m stvit_video.evaluate ckpt_path=a.ckpt protocol=videoswin data.source=csv data.val=test.csv",
        "python -m stvit_video.doctor data=folder data.root=my_videos",
        "python -m stvit_video.doctor env",
        "python -m stvit_video.benchmark --table && python -m stvit_video.benchmark data videos=a",
        "python -m stvit_video.data explain video.mp4 protocol=mvit",
        "python scripts/evaluate_clips.py ckpt_path=a manifest=b.csv",
        "cd x\nbash scripts/test.sh",
    ],
)
def test_commands_that_can_be_given(text):
    assert command_faults(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"{TRAIN} +experiment=quickstart optim.lrr=1", "optim.lrr is no setting; did you mean optim.lr?"),
        (f"{TRAIN} +experiment=quickstart optim.lr=-1", "optim.lr=-1"),
        (f"{TRAIN} +experiment=quickstarts", "experiment=quickstarts is no choice"),
        (f"{TRAIN} -m +experiment=quickstart optim.lr=1,-2 optim.lrr=1", "optim.lrr is no setting"),
        (f"{TRAIN} -m +experiment=quickstart seed=1,2 sweep.nam=x", "sweep.nam"),
        (f"{TRAIN} -m +experiment=quickstart seed=1,2 sweep.also='model.pool=x'", "model.pool"),
        (f"{TRAIN} +experiment=k400 data.root=/data/k400", "init_from is missing"),
        (f"{TRAIN} --cgf job", "--cgf"),
        ("python -m stvit_video.evaluate ckpt_path=a.ckpt num_clip=3", "num_clip"),
        ("python -m stvit_video.evaluate protocol=videoswin", "ckpt_path"),
        ("python -m stvit_video.doctor data=folder data.rot=a", "data.rot"),
        ("python -m stvit_video.ledger a.parquet clip=3", "clip is no setting"),
        ("python -m stvit_video.lodger a.parquet", "lodger"),
        ("python scripts/no_script.py", "scripts/no_script.py"),
        ("python -m stvit_video.benchmark data video=a", "video is no setting"),
        ("bash scripts/quickstart.sh trainer.max_epoch=3", "trainer.max_epoch is no setting"),
        ("ls", "no command of ours"),
    ],
)
def test_commands_that_can_not(text, names):
    (fault,) = command_faults(text)
    assert names in fault

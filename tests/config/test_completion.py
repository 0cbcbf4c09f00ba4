"""The script is sourced by a bash, and asked for what it would complete."""

import subprocess

import pytest

from stvit_video.__main__ import command_names
from stvit_video.config.completion import command_words, completion_script
from stvit_video.config.unknown_keys import known_settings

ASK = """
source "$1"
COMP_LINE=$2 COMP_POINT=${3:-${#2}} COMPREPLY=()
_stvit_video || true
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """A function: what is typed (and where in it the cursor stands) -> the completions."""
    script = tmp_path_factory.mktemp("completion") / "script.bash"
    script.write_text(completion_script(command_names()))

    def ask(*words):
        command = ["bash", "-euc", ASK, "bash", str(script), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert not done.stderr
        return done.stdout.split()

    return ask


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("python -m stvit_video.tr", ["stvit_video.train"]),
        ("python3.12 -m  stvit_video.e", ["stvit_video.evaluate", "stvit_video.export", "stvit_video.export_run"]),
        ("python -m stvit_video.train trainer.max", ["trainer.max_epochs=", "trainer.max_nonfinite_steps="]),
        ("python -m stvit_video.train run=a augment=mv", ["mvit", "mvit_ssv2"]),  # "=" begins a word
        ("torchrun --nproc_per_node 2 -m stvit_video.train +experiment=small", ["small_data"]),
        ("python -m stvit_video.train model=stvit_r_deit_t", ["stvit_r_deit_tiny"]),
        ("python -m stvit_video.doctor data=image", ["image_folder"]),
        ("python -m stvit_video.evaluate num_cl", ["num_clips="]),
        ("python -m stvit_video.evaluate model=", []),
        ("python -m stvit_video.train data.root=my", []),  # files, which bash completes by itself
        ("python -m stvit_video.predict vid", []),
        ("python script.py trainer", []),
        ("python -m http.server tr", []),
    ],
)
def test_what_is_completed(ask, line, words):
    assert ask(line) == words


def test_the_cursor_counts(ask):
    line = "python -m stvit_video.train optim.lay trainer.max_epochs=3"
    assert ask(line, line.index(" trainer")) == ["optim.layer_decay="]


def test_every_setting_and_no_part_of_a_recipe():
    words = command_words("train")
    groups = {"data", "model", "optim", "augment", "trainer", "protocol", "distill", "sweep", "head"}
    assert {f"{name}=" for name in known_settings("train") if name not in groups} <= set(words)
    assert "+experiment=k400" in words
    assert not any(word.startswith("+experiment=_") for word in words)
    assert {"data=folder", "data=kinetics600", "optim=sgd", "trainer=slurm"} <= set(words)
    assert not any(" " in word or "'" in word for word in words)

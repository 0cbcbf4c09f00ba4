from pathlib import Path

from stvit_video.config.command_page import command_page, shell_section
from stvit_video.utils.command_line import Command, Positional, Setting, Switch
from stvit_video.utils.value_kinds import PATH, one_of, whole

OURS = Command(
    prog="python -m stvit_video.make",
    summary="Makes it.",
    positional=Positional(name="files", sign="FILE", help="a <video>", is_many=True),
    settings=(
        Setting(name="num_clips", kind=whole(low=1), help="clips", default=4),
        Setting(name="average", kind=one_of(("prob", "logit")), help="mean", default_words="the run's"),
        Setting(name="out", kind=PATH, help="folder", is_needed=True),
    ),
    switches=(Switch("measure", "measure anew"),),
    examples=("python -m stvit_video.make a.mp4 out=x", "python -m stvit_video.make b.mp4 out=y"),
    notes="More: python -m stvit_video.make more --help\nThat is all.",
)
MORE = Command(prog="python -m stvit_video.make", word="more", summary="Makes more.", examples=("e", "f"))
TRAIN = Command(prog="python -m stvit_video.train", summary="Trains.", examples=("g", "h"))
SCRIPT = Command(prog="python scripts/do.py", summary="Does.", examples=("i", "j"))
SHELL = """#!/bin/bash
# Starts it,
# at once.
#
#   bash scripts/go.sh            once
#   bash scripts/go.sh again a=1   twice
#
# Ends in outputs/<run>.
#SBATCH --nodes=1
set -e
# no part of the head
"""


def test_a_command_with_all_that_it_can_be_given():
    page = command_page([[OURS, MORE], [TRAIN]], [[SCRIPT]], {})
    rows = [
        "| `FILE` |  |  | a &lt;video> |",
        "| `num_clips` | N | 4 | clips |",
        "| `average` | prob or logit | the run's | mean |",
        "| `out` | PATH | must be given | folder |",
        "| `--measure` |  |  | measure anew |",
    ]
    assert "\n".join(rows) in page
    assert "## `stvit_video.make`\n\nMakes it.\n\n`python -m stvit_video.make FILE [FILE ...] [key=value ...]`" in page
    assert "More: `python -m stvit_video.make more --help`\n\nThat is all.\n\n<!--" in page
    assert "<!-- docs-test: compose -->\n```bash\npython -m stvit_video.make a.mp4 out=x\n" in page
    assert "Makes more.\n\n`python -m stvit_video.make more [key=value ...]`\n\n<!--" in page
    assert "](../settings.md#stvit_videotrain)" in page
    assert page.index("## Scripts") < page.index("### `scripts/do.py`")


def test_a_script_of_the_shell_by_its_head():
    assert shell_section("scripts/go.sh", SHELL) == (
        "### `scripts/go.sh`\n\nStarts it, at once.\n\n<!-- docs-test: compose -->\n```bash\n"
        "bash scripts/go.sh            # once\nbash scripts/go.sh again a=1  # twice\n```\n\nEnds in outputs/&lt;run>."
    )


def test_the_heads_of_our_scripts_have_examples():
    for path in Path(__file__).parents[2].glob("scripts/[!_]*.sh"):
        assert f"scripts/{path.name}" in shell_section(path.name, path.read_text()).partition("```bash\n")[2]

"""`python -m stvit_video.export_run RUN [out=FOLDER] [checkpoint=best|last]`: a run as a folder to hand on.

It does what `python -m stvit_video.export ckpt_path=RUN format=checkpoint` does, see
`stvit_video.exporting.export_checkpoint`.
"""

import sys
from collections.abc import Sequence

from stvit_video.exporting.export_checkpoint import export_run
from stvit_video.exporting.run_files import CHECKPOINTS
from stvit_video.predictions.stopping import sigterm_ends
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.value_kinds import PATH, one_of

COMMAND = Command(
    prog="python -m stvit_video.export_run",
    summary="A run as a folder to hand on: weights, configuration, labels, result and a model card.",
    positional=Positional(name="run_dir", sign="RUN", help="folder of a training"),
    settings=(
        Setting(name="out", kind=PATH, help="folder to make", default_words="RUN/export"),
        Setting(
            name="checkpoint",
            kind=one_of(CHECKPOINTS),
            help="whose weights",
            default_words="the one that was evaluated",
        ),
    ),
    examples=(
        "python -m stvit_video.export_run outputs/k400",
        "python -m stvit_video.export_run outputs/k400 out=k400_small checkpoint=last",
    ),
)


@sigterm_ends()
def print_export(given: Given) -> None:
    """Export, and print where the folder is.

    Raises:
        ValueError: what `export_run` raises.
        OSError: a file can't be written.
    """
    out = export_run(given.run_dir, out=given.out, checkpoint=given.checkpoint)
    print(f"{', '.join(sorted(path.name for path in out.iterdir()))} are in {out}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Export; gives the exit status."""
    return COMMAND.run(print_export, arguments)


if __name__ == "__main__":
    sys.exit(main())

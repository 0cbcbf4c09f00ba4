"""`python -m stvit_video.ledger ledger.parquet [key=value ...]`: accuracies by another protocol, from stored logits.

No model, no videos, no GPU: an eval ledger holds the logits of each view of each video, and every protocol that looks
at some of these views is computed from them.
"""

import sys
from collections.abc import Sequence

from stvit_video.evaluation.ledger.eval_ledger import Ledger
from stvit_video.evaluation.ledger.offline import LedgerEvaluation, evaluate_ledger
from stvit_video.evaluation.ledger.parquet import read_ledger
from stvit_video.evaluation.tables import describe_unread, write_rows
from stvit_video.evaluation.view_average import AVERAGES
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.optional import MissingLibraryError
from stvit_video.utils.value_kinds import PATH, number, one_of, whole, whole_numbers

COMMAND = Command(
    prog="python -m stvit_video.ledger",
    summary="Accuracies by any protocol that takes some of the views of an eval ledger.",
    positional=Positional(name="path", sign="LEDGER", help="the ledger, written by an evaluation (.parquet)"),
    settings=(
        Setting(name="clips", kind=whole_numbers(), help="clips to take, from 0 on", default_words="all"),
        Setting(name="crops", kind=whole_numbers(), help="crops to take of each clip, from 0 on", default_words="all"),
        Setting(
            name="average",
            kind=one_of(AVERAGES),
            help="mean of softmax, or of logits",
            default_words="the evaluation's",
        ),
        Setting(name="top", kind=whole_numbers(low=1), help="accuracies among so many best classes", default=(1, 5)),
        Setting(name="by", kind=one_of(["class"]), help="print a table of the classes, too"),
        Setting(name="csv", kind=PATH, help="write the table of the classes to this file"),
        Setting(name="resamples", kind=whole(low=0), help="of the intervals; 0 = no intervals", default=1000),
        Setting(name="confidence", kind=number(low=0, high=1), help="of the intervals", default=0.95),
        Setting(name="seed", kind=whole(), help="of the resamples", default=0),
    ),
    examples=(
        "python -m stvit_video.ledger outputs/evaluate/2026-01-31/12-00-00/ledger.parquet",
        "python -m stvit_video.ledger ledger.parquet clips=0,2 crops=1 average=logit by=class",
    ),
)


def show_ledger(options: Given) -> None:
    """Read the ledger, print the result line and what else is asked for, write the CSV.

    Raises:
        ValueError: LedgerError, or a setting out of range.
        OSError: the CSV can't be written.
    """
    ledger = read_ledger(options.path)
    evaluation = evaluate_ledger(
        ledger,
        clips=options.clips,
        crops=options.crops,
        average=options.average,
        top_k=options.top,
        num_resamples=options.resamples,
        confidence=options.confidence,
        seed=options.seed,
    )
    value_name = "average_precision" if ledger.info.multi_label else "accuracy"
    if options.csv is not None:
        write_rows(evaluation.class_rows(value_name=value_name), options.csv)
    print(evaluation.line)
    if evaluation.intervals:
        print(f"{evaluation.interval_line}  ({options.confidence:.0%} of {options.resamples} resamples of the videos)")
    print(describe_ledger(ledger))
    if options.by == "class":
        print(class_table(evaluation, value_name=value_name))
    if unread := describe_unread(evaluation.result, table=options.path):
        print(unread, file=sys.stderr)


def describe_ledger(ledger: Ledger) -> str:
    """Whose logits they are, and how many views are stored, in one line."""
    info = ledger.info
    code = f", commit {info.commit}" if info.commit else ""
    stored = f"{info.num_clips} x {info.num_crops} views of each video stored"
    return f"model {info.model}, {len(info.classes)} classes, {stored}{code}"


def class_table(evaluation: LedgerEvaluation, *, value_name: str) -> str:
    """Name, videos and value of each class in columns, a dash where no video has the class."""
    rows = [("class", "videos", value_name)]
    rows += [
        (one.name, str(one.num_videos), "-" if one.value is None else f"{one.value:.3f}")
        for one in evaluation.per_class
    ]
    width = max(len(name) for name, _, _ in rows)
    return "\n".join(f"{name:<{width}}  {videos:>6}  {value:>{len(value_name)}}" for name, videos, value in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is asked for; gives the exit status."""
    return COMMAND.run(show_ledger, arguments, failures=(MissingLibraryError,))


if __name__ == "__main__":
    sys.exit(main())

"""`python -m stvit_video.ledger ledger.parquet [options]`: accuracies by another protocol, from stored logits.

No model, no videos, no GPU: an eval ledger holds the logits of each view of each video, and every protocol that looks
at some of these views is computed from them.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stvit_video.evaluation.ledger.eval_ledger import Ledger
from stvit_video.evaluation.ledger.offline import LedgerEvaluation, evaluate_ledger
from stvit_video.evaluation.ledger.parquet import read_ledger
from stvit_video.evaluation.multiview import AVERAGES
from stvit_video.evaluation.tables import describe_unread, write_rows
from stvit_video.utils.command_line import OneLineParser
from stvit_video.utils.optional import MissingLibraryError


def numbers(text: str) -> tuple[int, ...]:
    """(0, 2) of "0,2".

    Raises:
        argparse.ArgumentTypeError: something in it is no whole number.
    """
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} must be whole numbers with commas between, such as 0,2")
    return tuple(int(part) for part in parts)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = OneLineParser(
        prog="python -m stvit_video.ledger",
        description="Accuracies by any protocol that takes some of the views of an eval ledger.",
        allow_abbrev=False,
    )
    parser.add_argument("path", type=Path, help="the ledger, written by an evaluation (.parquet)")
    parser.add_argument("--clips", type=numbers, help="clips to take, from 0 on, such as 0,2 (all)")
    parser.add_argument("--crops", type=numbers, help="crops to take of each clip, from 0 on (all)")
    parser.add_argument("--average", choices=AVERAGES, help="mean of softmax, or of logits (the evaluation's)")
    parser.add_argument("--top", type=numbers, default=(1, 5), help="accuracies among so many best classes (1,5)")
    parser.add_argument("--by", choices=["class"], help="print a table of the classes, too")
    parser.add_argument("--csv", type=Path, help="write the table of the classes to this file")
    parser.add_argument("--resamples", type=int, default=1000, help="of the intervals; 0 = no intervals (1000)")
    parser.add_argument("--confidence", type=float, default=0.95, help="of the intervals (0.95)")
    parser.add_argument("--seed", type=int, default=0, help="of the resamples (0)")
    return parser


def run(options: argparse.Namespace) -> None:
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
    """Print what is asked for; the exit code is 0, or 2 after an error, which goes to stderr in one line."""
    try:
        run(build_parser().parse_args(arguments))
    except (ValueError, OSError, MissingLibraryError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Mean and spread over the runs of a sweep, for example of the folds of a cross-validation.

python scripts/summarize_runs.py multirun/<date>/<time>
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

METRICS = ("top1", "top5", "mean_class_accuracy", "mean_average_precision")


def summarize(values: Sequence[float]) -> str:
    """Mean, sample standard deviation, smallest and largest value in words."""
    spread = f" +- {stdev(values):.4f}" if len(values) > 1 else ""
    return f"{mean(values):.4f}{spread} (min {min(values):.4f}, max {max(values):.4f}, {len(values)} runs)"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read every result.json below a folder; print a line a run and a line a metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder that holds the runs")
    folder = parser.parse_args(arguments).folder
    runs = sorted(path for path in folder.glob("*") if path.is_dir() and not path.name.startswith("."))
    unfinished = [run.name for run in runs if not (run / "result.json").is_file()]
    results = {run.name: json.loads((run / "result.json").read_text()) for run in runs if run.name not in unfinished}
    if not results:
        sys.exit(f"error: no folder below {folder} has a result.json; give the folder of a sweep")
    for name, result in results.items():
        print(f"{name}: {result['result']}")
    # runs with several labels a video have the last one, the others the first three
    shared = [metric for metric in METRICS if all(metric in result for result in results.values())]
    if not shared:
        sys.exit("error: some of these runs have one label a video, others several; summarize them apart")
    for metric in shared:
        print(f"{metric}: {summarize([result[metric] for result in results.values()])}")
    if unfinished:
        sys.exit(f"error: {len(unfinished)} runs have no result.json and are left out: {', '.join(unfinished)}")


if __name__ == "__main__":
    main()

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "summarize_runs.py"


def run(folder):
    return subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True)


def write_result(folder, top1):
    folder.mkdir(parents=True)
    values = {"top1": top1, "top5": 1.0, "mean_class_accuracy": top1 / 2, "result": f"top-1 {top1}"}
    (folder / "result.json").write_text(json.dumps(values))


def test_mean_and_spread_by_hand(tmp_path):
    for name, top1 in (("0", 0.5), ("1", 0.7), ("2", 0.9)):
        write_result(tmp_path / name, top1)
    lines = run(tmp_path).stdout.splitlines()
    assert lines[0] == "0: top-1 0.5"
    assert lines[3] == "top1: 0.7000 +- 0.2000 (min 0.5000, max 0.9000, 3 runs)"
    assert lines[5].startswith("mean_class_accuracy: 0.3500 +- 0.1000")


def test_unfinished_run_is_named(tmp_path):
    write_result(tmp_path / "0", 0.5)
    (tmp_path / "1").mkdir()
    done = run(tmp_path)
    assert "top1: 0.5000 (min 0.5000" in done.stdout
    assert done.stderr == "error: 1 runs have no result.json and are left out: 1\n"
    assert done.returncode == 1


def test_folder_without_runs(tmp_path):
    done = run(tmp_path)
    assert "has a result.json; give the folder of a sweep" in done.stderr
    assert done.returncode == 1


def test_several_labels_have_their_metric_and_kinds_are_not_mixed(tmp_path):
    for name, value in (("0", 0.25), ("1", 0.5)):
        (tmp_path / name).mkdir()
        values = {"mean_average_precision": value, "result": f"mAP {value}"}
        (tmp_path / name / "result.json").write_text(json.dumps(values))
    lines = run(tmp_path).stdout.splitlines()
    assert lines[2:] == ["mean_average_precision: 0.3750 +- 0.1768 (min 0.2500, max 0.5000, 2 runs)"]
    write_result(tmp_path / "2", 0.5)
    done = run(tmp_path)
    assert done.stderr == "error: some of these runs have one label a video, others several; summarize them apart\n"
    assert done.returncode == 1

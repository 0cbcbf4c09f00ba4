import csv
import json
import subprocess

import pytest
import torch

from stvit_video import report
from stvit_video.data.manifest import read_csv_manifest
from stvit_video.evaluation.benchmark import count_gmacs
from stvit_video.inference import evaluate_manifest, load_classifier


def test_evaluation_report(tiny_run, tmp_path, capsys):
    classifier = load_classifier(tiny_run.checkpoint, device="cpu", num_clips=1, num_crops=3)
    manifest = read_csv_manifest(tiny_run.manifest, classes=classifier.classes)
    result = evaluate_manifest(classifier, manifest)
    summary = report.report_evaluation(classifier, manifest, result, tmp_path / "out", extra={"note": "x"})
    assert json.loads((tmp_path / "out" / "result.json").read_text()) == summary
    with (tmp_path / "out" / "predictions.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
    assert (tmp_path / "out" / "confusion_matrix.png").stat().st_size > 0
    gmacs = count_gmacs(tiny_run.model, (3, 4, 16, 16))
    assert summary["gmacs_per_view"] == pytest.approx(gmacs)
    assert summary["gmacs_per_video"] == pytest.approx(3 * gmacs)
    assert summary["note"] == "x"
    tokens = {"num_tokens": 4, "token_grid": [1, 2, 2], "reducer": "semantic", "generate_at": None}
    assert {key: summary[key] for key in tokens} == tokens
    assert summary["result"] in capsys.readouterr().out


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.invalid"]
    command = ["git", "-C", folder, *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_commit_says_when_files_differ(tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.mkdir()
    (package / "code.py").write_text("a = 1\n")
    monkeypatch.setattr(report, "PACKAGE_DIR", package)
    assert report.current_commit() is None
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert report.current_commit() == commit
    (package / "code.py").write_text("a = 2\n")
    assert report.current_commit() == f"{commit}+changes"


def test_without_git_there_is_no_commit(monkeypatch):
    def no_git(*arguments, **options):
        raise FileNotFoundError("git")

    monkeypatch.setattr(report.subprocess, "run", no_git)
    assert report.current_commit() is None


def test_hardware_names_processor_and_threads():
    words = report.describe_hardware(torch.device("cpu"))
    assert words == f"{report.processor_name()}, {torch.get_num_threads()} threads"
    assert report.processor_name()

import subprocess

import torch

from stvit_video.utils import provenance
from stvit_video.utils.processor import processor_name


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.invalid"]
    command = ["git", "-C", folder, *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_commit_says_when_files_differ(tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.mkdir()
    (package / "code.py").write_text("a = 1\n")
    monkeypatch.setattr(provenance, "PACKAGE_DIR", package)
    assert provenance.current_commit() is None
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert provenance.current_commit() == commit
    (package / "code.py").write_text("a = 2\n")
    assert provenance.current_commit() == f"{commit}+changes"


def test_without_git_there_is_no_commit(monkeypatch):
    def no_git(*arguments, **options):
        raise FileNotFoundError("git")

    monkeypatch.setattr(provenance.subprocess, "run", no_git)
    assert provenance.current_commit() is None


def test_hardware_names_processor_and_threads():
    words = provenance.describe_hardware(torch.device("cpu"))
    assert words == f"{processor_name()}, {torch.get_num_threads()} threads"


def test_the_load():
    assert provenance.load_average() is None or provenance.load_average() >= 0
    assert (provenance.load_words(None), provenance.load_words(1.26)) == ("unknown", "1.3")

"""Tests of real files: skipped with a reason, failed with a sentence, run where the files are."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest
from real_data import real_file

@pytest.mark.real_data
def test_marked():
    assert real_file("data", "a.txt").read_text() == "real"

def test_not_marked():
    real_file("data", "a.txt")
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function: value of STVIT_TEST_DATA or None -> what pytest prints for both tests."""
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text("from real_data import pytest_collection_modifyitems\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = real_data: x\n")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))

    def call(folder):
        monkeypatch.delenv("STVIT_TEST_DATA", raising=False)
        if folder is not None:
            monkeypatch.setenv("STVIT_TEST_DATA", str(folder))
        command = [sys.executable, "-m", "pytest", "-rsf", "-p", "no:cacheprovider", "-n", "0", "."]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout

    return call


@pytest.mark.parametrize("folder", [None, ""])
def test_without_the_variable_a_marked_test_is_skipped_and_an_unmarked_one_fails(run, folder):
    printed = run(folder)
    assert "1 failed, 1 skipped" in printed
    assert "SKIPPED [1]" in printed
    assert "set STVIT_TEST_DATA" in printed
    assert "mark this test real_data" in printed


def test_a_folder_without_the_file_fails_the_test(run, tmp_path):
    printed = run(tmp_path / "gone")
    assert "2 failed" in printed
    assert f"STVIT_TEST_DATA={tmp_path / 'gone'} lacks data/a.txt" in printed


def test_with_the_file_it_runs(run, tmp_path):
    (tmp_path / "here" / "data").mkdir(parents=True)
    (tmp_path / "here" / "data" / "a.txt").write_text("real")
    assert "2 passed" in run(tmp_path / "here")

"""The real files that some tests read: the folder that STVIT_TEST_DATA names, and what happens without it."""

import csv
import os
from pathlib import Path

import pytest

VARIABLE = "STVIT_TEST_DATA"
SKIPPED = f"reads real files: set {VARIABLE} to the folder that holds data/decoder_cases and the other sets"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked real_data where nobody says where the files are."""
    if os.environ.get(VARIABLE):
        return
    for item in items:
        if item.get_closest_marker("real_data"):
            item.add_marker(pytest.mark.skip(reason=SKIPPED))


def real_file(*parts: str) -> Path:
    """The file or folder `parts` below the named folder; for tests marked real_data.

    A test fails where the folder is named and lacks the file: nothing that was asked for is left out in silence.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.fail(f"{'/'.join(parts)} is a real file, and {VARIABLE} is not set; mark this test real_data")
    path = Path(folder).absolute().joinpath(*parts)
    if not path.exists():
        pytest.fail(f"{VARIABLE}={folder} lacks {'/'.join(parts)}; name the folder that holds it, or unset {VARIABLE}")
    return path


def real_cases() -> dict[str, dict[str, str]]:
    """File name -> row of data/decoder_cases/cases.csv."""
    with real_file("data", "decoder_cases", "cases.csv").open(newline="") as table:
        return {row["file"]: row for row in csv.DictReader(table)}

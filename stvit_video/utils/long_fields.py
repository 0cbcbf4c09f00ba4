"""Fields of any length in CSV files: Python's limit of 131,072 characters is lifted while one is read."""

import contextlib
import csv
from collections.abc import Iterator

NO_LIMIT = 2**31 - 1  # the largest number that every system takes


@contextlib.contextmanager
def any_length() -> Iterator[None]:
    """Within, `csv.reader` takes fields of any length; the limit of before, which is the process's, comes back.

    A field that is longer than the memory has room for ends in a MemoryError, as with any other text.
    """
    before = csv.field_size_limit(NO_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)

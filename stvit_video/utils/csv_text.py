"""Rows of a CSV that every reader reads back."""

import csv
import io
from collections.abc import Iterable
from typing import Any

ROW_END = "\r\n"  # csv quotes a field that holds one of these


def csv_line(fields: Iterable[Any]) -> str:
    r"""One row with a line feed at its end; a field with a line break of any kind stands in quotes.

    Differs: a csv.writer whose rows end in "\n" leaves a carriage return within a field without quotes.
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ROW_END).writerow(fields)
    return text.getvalue().removesuffix(ROW_END) + "\n"

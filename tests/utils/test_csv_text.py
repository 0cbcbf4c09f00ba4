"""Rows come back as they were."""

import csv
import io

import pytest

from stvit_video.utils.csv_text import csv_line


@pytest.mark.parametrize("name", ["a\rb.mp4", "a\nb.mp4", "a\r\nb", 'a "b", c', "", "plain", "a\u2028b", "ends\r"])
def test_a_row_comes_back(name):
    line = csv_line([name, 0.25, "x"])
    assert line.endswith("\n")
    assert not line.endswith("\r\n")
    assert list(csv.reader(io.StringIO(line + csv_line(["next"]), newline=""))) == [[name, "0.25", "x"], ["next"]]

"""Files that are kept when the work is stopped."""

import pytest

from stvit_video.visualization.kept_files import kept_on_error


def write(path, text, stop):
    with kept_on_error(path) as part:
        part.write_text(text)
        raise stop


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ArithmeticError, SystemExit])
def test_what_was_written_until_the_error_is_the_file(tmp_path, stop):
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    with pytest.raises(stop):
        write(path, "new", stop)
    assert path.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]


def test_without_an_error_it_is_whole_and_without_content_the_old_one_stays(tmp_path):
    path = tmp_path / "a.jsonl"
    with kept_on_error(path) as part:
        part.write_text("1")
    with pytest.raises(ValueError, match="^x$"), kept_on_error(path) as part:
        raise ValueError("x")
    assert path.read_text() == "1"
    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]

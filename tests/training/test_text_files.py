import multiprocessing

import pytest

from stvit_video.training.text_files import write_atomically


def rewrite(path, number):
    for _ in range(100):
        write_atomically(path, f"{number}" * 20000)


def test_a_reader_never_finds_half_a_file(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "0" * 20000)
    writers = [multiprocessing.get_context("fork").Process(target=rewrite, args=(path, n)) for n in (1, 2)]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        text = path.read_text()
        assert text == text[0] * 20000
        seen.add(text[0])
    assert seen <= {"0", "1", "2"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_what_can_not_be_written_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "a name that is no UTF-8: \udc80")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]

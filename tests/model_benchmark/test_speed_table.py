"""Tables: what stands in them, in Markdown and on a terminal."""

import pytest
from speed_rows import measured_rows

from stvit_video.model_benchmark.speed_result import results_of
from stvit_video.model_benchmark.speed_table import cells_of, header_of, markdown, print_tables, sections_of


def test_a_table_for_each_batch_size():
    sections = sections_of(results_of(measured_rows()))
    assert [section.title for section in sections] == ["Images, fp32, eager, batch 1", "Images, fp32, eager, batch 2"]
    assert sections[1].file_name == "images_fp32_eager_batch_2"
    assert "p95 ms" in header_of(sections[0])
    assert "p95 ms" not in header_of(sections[1])
    (training, _) = sections_of(results_of(measured_rows(is_training=True)))
    assert training.title == "Images, training steps, fp32, eager, batch 1"


def test_markdown_by_hand():
    lines = markdown(sections_of(results_of(measured_rows()))[1]).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:8]]
    assert len({len(line) for line in lines[2:8]}) == 1
    assert cells[0] == [
        *("model", "input", "GMACs", "images/s", "to dense", "CPU ms/image", "median CPU ms", "median wall ms"),
        *("peak MB", "libraries MB", "of matmul"),
    ]
    assert cells[2][:10] == ["deit_tiny", "12x20", "0.400", "0.250", "1.00x", "4000", "6000", "12000", "200", "50"]
    assert cells[3][:5] == ["ours, after 1", "12x20", "0.100", "1.00", "4.00x"]
    assert cells[5] == ["absent", "12x20", "-", "failed", *["-"] * 7]
    assert lines[8:] == [
        "",
        '"to dense" is the ratio to deit_tiny',
        "",
        "a row with another input has no ratio",
        "",
        "absent: timm is gone",
        "",
        "peer: at its own size",
    ]


def test_several_dense_models_are_told_apart():
    measured = measured_rows()
    object.__setattr__(measured.entrants[2].row, "baseline", "swin_tiny")
    note = sections_of(results_of(measured))[0].notes[0]
    assert note == '"to dense" is the ratio of ours, after 1, absent to deit_tiny; peer to swin_tiny'


@pytest.mark.parametrize(
    ("value", "text"), [(0.001234, "1.23"), (0.0123, "12.3"), (0.1234, "123"), (0.000123, "0.123")]
)
def test_three_digits(value, text):
    (section, _) = sections_of(results_of(measured_rows()))
    row = section.rows[0]
    object.__setattr__(row, "wall_seconds_median", value)
    assert cells_of(row, header_of(section))[7] == text


def test_on_a_terminal_and_in_a_pipe(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    sections = sections_of(results_of(measured_rows()))
    print_tables(sections, is_terminal=False)
    assert capsys.readouterr().out == "\n\n".join(map(markdown, sections)) + "\n"
    print_tables(sections, is_terminal=True)
    shown = capsys.readouterr().out
    assert "| " not in shown
    for text in ("Images, fp32, eager, batch 2", "ours, after 1", "4.00x", "failed", "peer: at its own size"):
        assert text in shown

"""Tables: what stands in them."""

from speed_rows import measured_rows

from stvit_video.model_benchmark.speed_result import results_of
from stvit_video.model_benchmark.speed_table import header_of, sections_of, table_of
from stvit_video.model_benchmark.text_table import markdown


def test_a_table_for_each_batch_size():
    sections = sections_of(results_of(measured_rows()))
    assert [section.title for section in sections] == ["Images, fp32, eager, batch 1", "Images, fp32, eager, batch 2"]
    assert sections[1].file_name == "images_fp32_eager_batch_2"
    assert "p95 ms" in header_of(sections[0])
    assert "p95 ms" not in header_of(sections[1])
    (training, _) = sections_of(results_of(measured_rows(is_training=True)))
    assert training.title == "Images, training steps, fp32, eager, batch 1"


def test_markdown_by_hand():
    table = table_of(sections_of(results_of(measured_rows()))[1])
    lines = markdown(table).splitlines()
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
    assert table.styles == ("bold green", "bold green", "", "red")


def test_several_dense_models_are_told_apart():
    measured = measured_rows()
    object.__setattr__(measured.entrants[2].row, "baseline", "swin_tiny")
    note = sections_of(results_of(measured))[0].notes[0]
    assert note == '"to dense" is the ratio of ours, after 1, absent to deit_tiny; peer to swin_tiny'

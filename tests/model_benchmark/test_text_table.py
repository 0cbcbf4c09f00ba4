"""Tables of words, in Markdown and on a terminal."""

import pytest

from stvit_video.model_benchmark.text_table import TextTable, digits, markdown, print_tables

TABLE = TextTable(
    title="Clips, batch 1",
    header=("model", "ms", "off"),
    lines=(("a, after 2", "3.20", "-"), ("b", "failed", "0.100 %")),
    styles=("bold green", "red"),
    notes=("b: it broke",),
)


def test_markdown_by_hand():
    assert markdown(TABLE).splitlines() == [
        "Clips, batch 1",
        "",
        "| model      |     ms |     off |",
        "| ---------- | -----: | ------: |",
        "| a, after 2 |   3.20 |       - |",
        "| b          | failed | 0.100 % |",
        "",
        "b: it broke",
    ]


def test_on_a_terminal_and_in_a_pipe(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    print_tables([TABLE, TABLE], is_terminal=False)
    assert capsys.readouterr().out == f"{markdown(TABLE)}\n\n{markdown(TABLE)}\n"
    print_tables([TABLE], is_terminal=True)
    shown = capsys.readouterr().out
    assert "| " not in shown
    for text in ("Clips, batch 1", "a, after 2", "3.20", "failed", "b: it broke"):
        assert text in shown


@pytest.mark.parametrize(
    ("value", "text"), [(0.001234, "1.23x"), (0.0123, "12.3x"), (0.1234, "123x"), (0.000123, "0.123x"), (None, "-")]
)
def test_three_digits(value, text):
    assert digits(value, "x", scale=1e3) == text

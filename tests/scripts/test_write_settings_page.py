from pathlib import Path

from stvit_video.config.settings_page import settings_page

TOP = Path(__file__).parents[2]


def test_the_page_in_docs_is_of_these_declarations():
    written = (TOP / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == settings_page(), "run python scripts/write_settings_page.py"


def test_it_is_written_where_it_is_asked_for(script, tmp_path, capsys):
    assert script.main([f"out={tmp_path}/page.md"]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == settings_page()
    assert script.main(["outt=x"]) == 2
    assert "did you mean out" in capsys.readouterr().err
    assert script.main(["--help"]) == 0
    assert "python scripts/write_settings_page.py" in capsys.readouterr().out

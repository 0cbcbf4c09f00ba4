from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages(script):
    with pytest.MonkeyPatch.context() as patch:  # scripts import one another, as Python runs them
        patch.syspath_prepend(str(TOP / "scripts"))
        return script.reference_pages()


def test_the_pages_in_docs_are_of_this_code(pages):
    for name, text in pages.items():
        written = (TOP / "docs" / name).read_text(encoding="utf-8")
        assert written == text, f"docs/{name}: run python scripts/write_reference_pages.py"
    assert {f"recipes/{path.name}" for path in (TOP / "docs" / "recipes").glob("*.md")} <= set(pages)


def test_every_recipe_is_run_by_us_or_says_that_it_is_not(script, pages):
    for path in (TOP / "conf" / "experiment").glob("[!_]*.yaml"):
        page = pages[f"recipes/{path.stem}.md"]
        told = "not yet run by us." in path.read_text(encoding="utf-8")
        assert told == ("**Not run by us.**" in page) == (path.stem not in script.RESULTS), path.stem
        assert f"+experiment={path.stem}" in page


def test_they_are_written_where_they_are_asked_for(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "reference_pages", lambda: {"a/b.md": "text\n"})
    assert script.main([f"out={tmp_path}"]) == 0
    assert (tmp_path / "a" / "b.md").read_text(encoding="utf-8") == "text\n"

"""Commands and Python of every page: run from its top to its end, or composed where the page says so."""

import shutil
from pathlib import Path

import pytest
from page_blocks import DEPLOY, blocks_of, form_faults
from shown_pages import REPOSITORY, run_page

pytestmark = pytest.mark.docs
# pages that have their reader write files of the package; a test writes these and runs them
TESTED_BY = {
    "docs/develop/add_a_backbone.md": "tests/test_add_a_backbone.py",
    "docs/develop/add_a_layout.md": "tests/test_add_a_layout.py",
    "docs/develop/add_a_reducer.md": "tests/test_docs.py",
    "docs/develop/add_a_setting.md": "tests/test_add_a_setting.py",
}
PAGES = ["README.md", "CONTRIBUTING.md", "data/README.md"]
PAGES += sorted(path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "docs").rglob("*.md"))


def read(page: str) -> str:
    return (REPOSITORY / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_no_block_escapes_by_its_form(page):
    if page in TESTED_BY:
        assert page.rpartition("/")[2] in (REPOSITORY / TESTED_BY[page]).read_text(encoding="utf-8")
        return
    faults = form_faults(read(page))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in TESTED_BY])
def test_what_a_page_shows_can_be_done(page, shell, shown_folder, tmp_path, monkeypatch):
    cwd = Path(shutil.copytree(shown_folder, tmp_path / "reader", symlinks=True))
    monkeypatch.chdir(cwd)
    faults = run_page(read(page), name=page, shell=shell, cwd=cwd)
    assert not faults, faults[0]


@pytest.mark.deploy
@pytest.mark.parametrize("page", [page for page in PAGES if any(b.mode == DEPLOY for b in blocks_of(read(page)))])
def test_what_a_page_of_deployment_shows_can_be_done(page, shell, shown_folder, tmp_path, monkeypatch):
    cwd = Path(shutil.copytree(shown_folder, tmp_path / "reader", symlinks=True))
    monkeypatch.chdir(cwd)
    faults = run_page(read(page), name=page, shell=shell, cwd=cwd, deploys=True)
    assert not faults, faults[0]

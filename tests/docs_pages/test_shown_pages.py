"""The runner of pages itself: a page goes from its top to its end, and what a reader would see fail, fails."""

import pytest
from shown_pages import DEMO, run_page

pytestmark = pytest.mark.docs
SMALL = " ".join(word for word in DEMO if not word.startswith(("run=", "trainer.max_epochs=")))
PAGE = f"""
```bash
A=outputs/demo/last.ckpt   # a variable
find videos -name "*_[01].mp4" | sort | xargs python -m stvit_video.predict ckpt_path=$A > told.txt
```
```python
lines = open("told.txt").read()
assert "clip_1.mp4" in lines
```
<!-- docs-test: run trainer.max_epochs=1 -->
```bash
python -m stvit_video.train run=more {SMALL}
python -m stvit_video.evaluate ckpt_path=outputs/more/last.ckpt
```
```python
import json
assert json.load(open("outputs/more/result.json"))["training"]["epochs"] == 1
assert lines
```
<!-- docs-test: not run: it would end everything -->
```bash
kill 0
```
<!-- docs-test: deploy -->
```python
raise SystemError("a library of deployment is missing")
```
<!-- docs-test: compose -->
```bash
python -m stvit_video.train +experiment=k400 data.root=/data/k400 init_from=deit_small.pth
```
"""


@pytest.fixture
def run(shell, shown_folder, monkeypatch):
    monkeypatch.chdir(shown_folder)
    return lambda page, **more: run_page(page, name="page.md", shell=shell, cwd=shown_folder, **more)


def test_a_page_is_run_from_its_top_to_its_end(run):
    assert run(PAGE) == []


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("\n```bash\npython -m stvit_video.ledger nothing.parquet\n```\n", "page.md, line 3:"),
        ("```bash\npython -m stvit_video.predict ckpt_path=a.ckpt b.mp4 | cat\n```\n", "a.ckpt"),
        ("```bash\npython -c 'raise SystemExit(3)'\n```\n", "status 3"),
        ("```bash\npython scripts/no_script.py\n```\n", "no_script.py"),
        ("```python\na = 1\n```\n```python\nassert a == 2\n```\n", '"page.md", line 5'),
        ("<!-- docs-test: compose -->\n```bash\npython -m stvit_video.train optim.lrr=1\n```\n", "optim.lrr"),
    ],
)
def test_what_fails_is_told_with_its_line(run, page, told):
    (fault,) = run(page)
    assert told in fault


def test_a_block_that_takes_too_long(run, monkeypatch):
    monkeypatch.setattr("shown_pages.TIME_LIMIT_SECONDS", 0.3)
    (fault,) = run("```bash\nsleep 60\n```\n")
    assert "status 124" in fault


def test_blocks_of_deployment_are_run_where_its_libraries_are(run):
    page = "<!-- docs-test: deploy -->\n```python\nassert 1 == 2\n```\n"
    assert run(page) == []
    (fault,) = run(page, deploys=True)
    assert "AssertionError" in fault
    assert run("```bash\nfalse\n```\n", deploys=True) == []  # run without them
    (fault,) = run("<!-- docs-test: deploy -->\n```bash\npython -m stvit_video.predict ckpt=a\n```\n")
    assert "ckpt is no setting" in fault

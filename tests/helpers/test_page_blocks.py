import pytest
from page_blocks import COMPOSE, DEPLOY, NOT_RUN, RUN, blocks_of, form_faults

PAGE = """# A page

```bash
python -m stvit_video.train a=1
```

<!-- docs-test: run optim.lr=1e-3 'data.root=a b' -->
```bash
python -m stvit_video.train b=2
```

1. In a list:

    <!-- docs-test: compose -->
    ```bash
    python -m stvit_video.train \\
      c=3
    ```
    <!-- docs-test: not run: installs packages -->
    ```bash
    pip install x
    ```

```text
no command
```
```python title="a.py"
x = 1
```
"""


def test_blocks_with_their_modes():
    first, second, third, fourth, fifth, sixth = blocks_of(PAGE)
    assert (first.language, first.line, first.mode, first.more) == ("bash", 4, RUN, ())
    assert (second.mode, second.more, second.line) == (RUN, ("optim.lr=1e-3", "data.root=a b"), 9)
    assert (third.mode, third.text) == (COMPOSE, "python -m stvit_video.train \\\n  c=3\n")
    assert (fourth.mode, fourth.reason) == (NOT_RUN, "installs packages")
    assert (fifth.language, sixth.language, sixth.text) == ("text", "python", "x = 1\n")
    assert PAGE.splitlines()[sixth.line - 1] == "x = 1"
    assert form_faults(PAGE) == []


def test_a_block_of_deployment_may_be_python():
    page = "<!-- docs-test: deploy -->\n```python\nimport onnxruntime\n```\n"
    assert [block.mode for block in blocks_of(page)] == [DEPLOY]
    assert form_faults(page) == []


@pytest.mark.parametrize("words", ["compose optim.lr=1", "deploy x=1", "not run", "not run:", "skip", ""])
def test_a_comment_that_says_nothing(words):
    with pytest.raises(ValueError, match=f"line 1: docs-test: {words}"):
        blocks_of(f"<!-- docs-test: {words} -->\n```bash\nls\n```\n")


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("```\npython -m stvit_video.train\n```\n", "line 2: commands of ours stand in ```bash"),
        ("```text\n$ torchrun x\n```\n", "line 2: commands of ours stand in ```bash"),
        ("```console\nls\n```\n", "line 2: console is no language"),
        ("```bash\nls\n```\n", "line 2: no command of ours"),
        ("<!-- docs-test: compose -->\n```python\n1\n```\n", "line 3: Python is run or not run"),
        ("<!-- docs-test: compose -->\n```text\n1\n```\n", "line 3: docs-test is for"),
        (
            "<!-- docs-test: compose -->\n\n```bash\npython -m stvit_video.train\n```\n",
            "line 1: docs-test stands before",
        ),
    ],
)
def test_nothing_escapes_by_its_form(page, fault):
    (found,) = form_faults(page)
    assert found.startswith(fault)

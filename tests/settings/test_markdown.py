from stvit_video.settings.declare import MISSING, Count, Group, setting
from stvit_video.settings.markdown import page_of, rows_of, table_of


class Inner(Group):
    """Some."""

    sizes: tuple[Count, ...] = setting((3, 5), "a|b")


class Outer(Group):
    """All of them."""

    name: str | None = setting(None, "of it")
    must: str = setting(MISSING, "be there")
    on: bool = setting(True, "or off")
    inner: Inner = Inner()


def test_a_page_has_a_table_for_each_group():
    assert (
        page_of("Settings", Outer, more={"More": rows_of(Inner, "x.")})
        == """# Settings

All of them.

| setting | default | allowed | what it does |
|---|---|---|---|
| `name` | `null` | a word, or null | of it |
| `must` | must be given | a word | be there |
| `on` | `true` | true or false | or off |

## `inner`

Some.

| setting | default | allowed | what it does |
|---|---|---|---|
| `inner.sizes` | `[3,5]` | a list of numbers at least 1 | a\\|b |

## More

| setting | default | allowed | what it does |
|---|---|---|---|
| `x.sizes` | `[3,5]` | a list of numbers at least 1 | a\\|b |
"""
    )


def test_no_rows_no_lines():
    assert table_of([]).count("\n") == 1

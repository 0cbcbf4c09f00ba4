import pytest
from loaded_file import load_file
from shown_pages import REPOSITORY

pytestmark = pytest.mark.docs
NAMES = {"index.md", "develop/contributing.md", "develop/layout.md", "settings.md", "recipes/k400.md"}


@pytest.fixture(scope="module")
def hooks():
    return load_file(REPOSITORY / "docs" / "site_hooks.py")


@pytest.mark.parametrize(
    ("link", "place", "expected"),
    [
        ("[a](../../README.md)", "docs/develop/layout.md", "[a](../index.md)"),
        ("[a](../../CONTRIBUTING.md#tests)", "docs/develop/layout.md", "[a](contributing.md#tests)"),
        ("[a](../README.md)", "docs/settings.md", "[a](index.md)"),
        ("[a](../../conf/experiment/k400.yaml)", "docs/recipes/k400.md", "a"),
        ("[a](../settings.md#models) [b](#here)", "docs/develop/layout.md", "[a](../settings.md#models) [b](#here)"),
        ("[a](no_such.md) ![b](../assets/b.png)", "docs/develop/layout.md", "[a](no_such.md) ![b](../assets/b.png)"),
        ("[a](https://x.org/README.md)", "docs/develop/layout.md", "[a](https://x.org/README.md)"),
        (
            "[a](docs/develop/layout.md#rooms) [b](README.md)",
            "CONTRIBUTING.md",
            "[a](layout.md#rooms) [b](../index.md)",
        ),
    ],
)
def test_links_that_leave_docs(hooks, link, place, expected):
    shown_at = place.removeprefix("docs/") if place.startswith("docs/") else "develop/contributing.md"
    assert hooks.rewritten(f"x {link} y", place, shown_at=shown_at, names=NAMES) == f"x {expected} y"

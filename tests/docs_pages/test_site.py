"""The site of the documentation: it builds strictly and without the network, and none of its pages needs one."""

import re
import socket
from html.parser import HTMLParser
from pathlib import Path

import pytest
from shown_pages import REPOSITORY

pytestmark = pytest.mark.docs
REMOTE = re.compile(r"(?:https?:)?//")
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}


class Fetched(HTMLParser):
    """Collects what a browser fetches for a page by itself: scripts, styles, icons, pictures, and no links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in FETCHED:
            self.addresses.append(given.get(FETCHED[tag], ""))
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next", "edit"):
            self.addresses.append(given.get("href", ""))
        self.addresses += re.findall(r"url\(['\"]?([^)'\"]+)", given.get("style", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; a connection to anywhere is an error while it is built."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    def refuse(*arguments):
        raise AssertionError(f"the build asks the network for {arguments[1:]}")

    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        patch.chdir(REPOSITORY)
        config = load_config(str(REPOSITORY / "mkdocs.yml"), site_dir=str(folder), strict=True)
        config.plugins.run_event("startup", command="build", dirty=False)
        build(config)
        config.plugins.run_event("shutdown")
    return folder


def test_a_page_fetches_nothing_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        text = page.read_text(encoding="utf-8")
        fetched = Fetched(text).addresses
        assert len(fetched) > 3, page
        assert [address for address in fetched if REMOTE.match(address)] == [], page
        assert 'class="mermaid"' not in text, f"{page}: the theme would fetch mermaid; draw a picture"
        missing = [
            a for a in fetched if a and not a.startswith("data:") and not (page.parent / a.split("?")[0]).exists()
        ]
        assert missing == [] or page.name == "404.html", page


def test_styles_fetch_nothing_from_elsewhere(site):
    for style in site.rglob("*.css"):
        addresses = re.findall(r"(?:url\(|@import )['\"]?([^)'\";]+)", style.read_text(encoding="utf-8"))
        assert [address for address in addresses if REMOTE.match(address)] == [], style


def test_every_page_is_in_the_navigation_and_on_the_site(site):
    nav = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    for page in (REPOSITORY / "docs").rglob("*.md"):
        name = page.relative_to(REPOSITORY / "docs").as_posix()
        assert re.search(rf" {re.escape(name)}$", nav, re.MULTILINE), f"{name} is not in the nav of mkdocs.yml"
        assert (site / Path(name).with_suffix(".html")).is_file()


def test_what_a_page_would_fetch_is_seen():
    text = '<script src="//x.org/a.js"></script><link rel="stylesheet" href="https://x.org/b"><a href="https://x.org">'
    assert Fetched(text + '<p style="background: url(http://x.org/c)">').addresses == [
        *("//x.org/a.js", "https://x.org/b", "http://x.org/c"),
    ]

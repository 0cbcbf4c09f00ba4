"""What every page must keep: it asks nobody for anything, and nothing in it was written by a value."""

import re
from html.parser import HTMLParser

ADDRESSES = ("src", "href", "xlink:href", "srcset", "action", "formaction", "poster", "data", "background", "ping")
FORBIDDEN = ("link", "base", "iframe", "frame", "object", "embed", "form", "applet", "portal")
VOID = ("meta", "img", "br", "hr", "input", "col", "source", "wbr")
NEARBY = re.compile(r"(?!/)[\w.~%/-]+/report\.html", re.ASCII)
POLICY = "default-src 'none'"


def page_faults(page: str) -> list[str]:
    """A sentence for everything in a page that leaves it, that runs by an attribute, or that is left open.

    A link may lead to the report.html of a folder nearby.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    faults = reader.faults + [f"<{tag}> is left open" for tag in reader.open_tags]
    if POLICY not in reader.policy:
        faults.append(f"the policy is {reader.policy!r}, without {POLICY}")
    return faults


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.open_tags: list[str] = []
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look_at(tag, attrs)
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look_at(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open_tags or self.open_tags[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open_tags[-1:]}")
        else:
            self.open_tags.pop()

    def handle_data(self, data: str) -> None:
        if self.open_tags[-1:] == ["style"]:
            self._look_at_style(data)

    def _look_at(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in FORBIDDEN:
            self.faults.append(f"<{tag}> has no place in a page")
        if tag == "meta" and "http-equiv" in values:
            if values["http-equiv"] == "Content-Security-Policy":
                self.policy = values["content"]
            else:
                self.faults.append(f"<meta http-equiv={values['http-equiv']!r}>")
        for name, value in values.items():
            is_page_nearby = (tag, name) == ("a", "href") and NEARBY.fullmatch(value)
            if name in ADDRESSES and not value.startswith(("data:", "#")) and not is_page_nearby:
                self.faults.append(f"<{tag} {name}={value[:80]!r}> leaves the page")
            if name.startswith("on"):
                self.faults.append(f"<{tag} {name}={value[:80]!r}> runs by an attribute")
            if name == "style":
                self._look_at_style(value)

    def _look_at_style(self, style: str) -> None:
        outside = [one for one in re.findall(r"url\(\s*['\"]?([^)]*)", style) if not one.startswith(("data:", "#"))]
        self.faults += [f"url({one[:80]}) leaves the page" for one in outside]
        if "@import" in style:
            self.faults.append("@import leaves the page")

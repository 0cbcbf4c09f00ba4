"""What MkDocs can't know of a repository: pages beside docs/, and links that leave it.

CONTRIBUTING.md becomes a page of the site. A link out of docs/, which GitHub follows, leads to its page of the site,
or is plain words there.
"""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

# of the repository, and what the site has of them
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "develop/contributing.md"}
COPIED = ("CONTRIBUTING.md",)
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: Files, *, config: Any) -> Files:
    """Called by MkDocs with all that lies in docs/."""
    for name in COPIED:
        text = Path(config.config_file_path).with_name(name).read_text(encoding="utf-8")
        files.append(File.generated(config, PAGES[name], content=text))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    """Called by MkDocs for every page, before it becomes HTML."""
    source = page.file.src_uri
    copied = {PAGES[name]: name for name in COPIED}
    place = copied.get(source, f"docs/{source}")
    return rewritten(markdown, place, shown_at=source, names={file.src_uri for file in files})


def rewritten(markdown: str, place: str, *, shown_at: str, names: set[str]) -> str:
    """A page with the links of the site.

    Args:
        markdown: its text.
        place: its path in the repository.
        shown_at: its path below docs/.
        names: paths below docs/ of all that the site has.
    """
    folder = PurePosixPath(place).parent

    def link(match: re.Match[str]) -> str:
        words, (target, mark, anchor) = match[1], match[2].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return match[0]
        aim = normpath(str(folder / target))
        inside = aim.removeprefix("docs/") if aim.startswith("docs/") else PAGES.get(aim, "")
        if inside not in names:
            return match[0] if aim.startswith("docs/") else words
        return f"[{words}]({relpath(inside, str(PurePosixPath(shown_at).parent))}{mark}{anchor})"

    return _LINK.sub(link, markdown)

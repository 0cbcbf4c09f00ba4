"""Pages of templates: one HTML file each, which needs no network and no other file."""

from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

from stvit_video.utils.optional import INSTALL_PACKAGE, load_optional

__all__ = ["isolated", "jpeg_data", "png_data", "render_page"]

TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, **values: Any) -> str:
    """The text of a page.

    Every value is escaped, in texts, attributes and scripts (`tojson`) alike; only `markupsafe.Markup` and what a
    template calls safe stand as they are. A template extends base.html, whose policy forbids the browser every request.

    Args:
        template: file in `pages/templates`, such as "tokens.html".
        values: what the template names. One that it names and doesn't get is an error.

    Raises:
        MissingLibraryError: jinja2 is not installed.
        ValueError: a value for a script is NaN or infinite, which JSON has no word for.
    """
    return _environment().get_template(template).render(**values)


def isolated(name: str) -> str:
    """A name for the middle of a sentence: letters that run to the left, or marks that turn others, end with it.

    A template has `<bdi>` for that; this is for sentences that are made elsewhere, and for titles.
    """
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"


def png_data(png: bytes) -> str:
    """A PNG as an address that holds the picture itself, for `src`."""
    return _data_address("image/png", png)


def jpeg_data(jpeg: bytes) -> str:
    """A JPEG likewise."""
    return _data_address("image/jpeg", jpeg)


def _data_address(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{b64encode(content).decode('ascii')}"


@cache
def _environment() -> Any:
    jinja2 = load_optional("jinja2", needed_for="a page", install=INSTALL_PACKAGE)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}
    return environment

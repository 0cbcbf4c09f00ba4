import html
import json
import re
import subprocess
import unicodedata
from pathlib import Path

import jinja2
import pytest
from page_checks import page_faults

from stvit_video.pages import render
from stvit_video.pages.page_table import PageTable
from stvit_video.pages.render import isolated, jpeg_data, png_data, render_page

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe",
    "a" * 300,
    'it\'s "both" & <!--',
]
PAGE = """
{% extends "base.html" %}
{% block title %}{{ name }}{% endblock %}
{% block content %}
{{ m.facts([(name, name), ("left out", none)]) }}
{{ m.table(table) }}
{{ m.picture(src, name, name) }}
{{ m.bars([(name, 0.5, name)], marked=0) }}
{{ m.warnings([name]) }}
{% call m.fold(name) %}{{ m.listed([name]) }}{% endcall %}
<script type="application/json" id="values">{{ [name]|tojson }}</script>
{% endblock %}
"""


@pytest.fixture
def template(monkeypatch):
    """The page above as a template of its own, beside those of the package."""
    environment = render._environment().overlay()
    environment.loader = jinja2.ChoiceLoader([jinja2.DictLoader({"try.html": PAGE}), environment.loader])
    monkeypatch.setattr(render, "_environment", lambda: environment)
    return "try.html"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_value_can_not_write_the_page(template, name):
    table = PageTable(heads=[name, "share"], rows=[[name, 0.5], [None, 3]], numbers=["share"], tips={name: name})
    page = render_page(template, name=name, table=table, src=png_data(b"x"))
    assert page_faults(page) == []
    assert page.count("<img ") == 1
    assert page.count("<script") == 2
    values = re.search(r'id="values">(.*?)</script>', page, re.DOTALL)
    assert json.loads(values[1]) == [name]
    assert ('<td class="text long"' in page) == (len(name) > 40)
    shown = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert html.unescape(shown[1]) == name
    assert "left out" not in page


def test_a_name_that_gets_no_value_is_an_error(template):
    with pytest.raises(jinja2.UndefinedError, match="table"):
        render_page(template, name="a", src="data:,")


def test_json_has_no_word_for_nan(template):
    table = PageTable(heads=[], rows=[])
    with pytest.raises(ValueError, match="not JSON compliant"):
        render_page(template, name=float("nan"), table=table, src="data:,")


def test_a_name_ends_where_its_letters_end():
    """By the bidirectional classes of Unicode: an isolate ends with its own closing mark, whatever is open in it."""
    first, *_, last = isolated("\u202egnp.exe")
    assert [unicodedata.bidirectional(mark) for mark in (first, last)] == ["FSI", "PDI"]


def test_pictures_stand_in_the_page():
    assert png_data(b"\x00\x01\x02") == "data:image/png;base64,AAEC"
    assert jpeg_data(b"\xff") == "data:image/jpeg;base64,/w=="


@pytest.mark.parametrize(
    ("inside", "fault"),
    [
        ('<img src="https://example.org/a.png">', "leaves"),
        ('<a href="//example.org/report.html">b</a>', "leaves"),
        ('<a href="file:a/report.html">b</a>', "leaves"),
        ('<a href="a/b.html">b</a>', "leaves"),
        ('<img src="a/report.html">', "leaves"),
        ('<link rel="stylesheet" href="#a">', "<link>"),
        ('<p onclick="a()">b</p>', "onclick"),
        ('<p style="background: url(a.png)">b</p>', r"url\(a.png"),
        ("<style>@import 'a.css';</style>", "@import"),
        ('<meta http-equiv="refresh" content="0;url=/">', "refresh"),
        ("<div><p>b</div>", "closes"),
        ("<div>", "left open"),
    ],
)
def test_the_check_of_pages_finds_what_it_is_for(template, inside, fault):
    page = render_page(template, name="a", table=PageTable(heads=[], rows=[]), src="data:,")
    assert page_faults(page) == []
    assert re.search(fault, "\n".join(page_faults(page.replace("</main>", f"{inside}</main>"))))
    assert page_faults(page.replace("default-src", "img-src")) != []


def test_nothing_keeps_the_templates_out_of_a_wheel():
    root = Path(render.__file__).parents[2]
    hatch = (root / "pyproject.toml").read_text().partition("[tool.hatch.build.targets.wheel]")[2]
    assert 'packages = ["stvit_video"]' in hatch  # all files in it that git doesn't ignore
    assert "exclude" not in hatch
    if not (root / ".git").exists():
        pytest.skip("only in a clone: git says what it ignores")
    names = [str(path) for path in render.TEMPLATES.iterdir()]
    asked = subprocess.run(["git", "check-ignore", "--no-index", *names], cwd=root, capture_output=True, text=True)
    assert (asked.returncode, asked.stdout) == (1, "")

import re
from html import unescape

import pytest
from chromium import chromium
from page_checks import page_faults
from sweep_maker import make_run, make_runs

from stvit_video.sweeps.report.page import format_page
from stvit_video.sweeps.report.points import Unfinished, points_of
from stvit_video.sweeps.report.summary import SweepReport


def page_of(runs, unfinished=(), title="Sweep x", **more):
    return format_page(SweepReport(runs, points_of(runs), unfinished), title=title, **more)


def cells(page):
    return [unescape(text) for text in re.findall(r"<(?:td|li|dd|h1|summary)\b[^>]*>([^<]*)</", page)]


def test_the_page_needs_nothing_from_elsewhere():
    page = page_of(make_runs())
    assert page_faults(page) == []
    assert page.count("<svg") == 2 + 3  # charts, and the mark of each series
    assert len(page) < 60_000
    without = page_of(make_runs(), is_drawn=False)
    assert page_faults(without) == []
    assert "<svg" not in without


def test_points_failures_and_warnings_are_told():
    page = page_of(make_runs(), [Unfinished("9", ("a=1", "b=2"), "timed out", "took longer")])
    told = cells(page)
    first = told.index("stvit_video_deit_tiny, semantic")
    assert told[first:][:10] == [
        *("stvit_video_deit_tiny, semantic", "16 tokens", "0.5000", "0.3536", "2", "40", "cost, speed"),
        *("0.2500", "0.7500", "2"),
    ]
    assert "dense" in told
    assert told[told.index("9") :][:4] == ["9", "a=1 b=2", "timed out", "took longer"]
    assert any("cost does not tell them apart" in text for text in told)
    assert page.count('<tr class="marked"') == 3
    assert "4 finished runs in 3 points, 1 without a result. Best top-1 accuracy: video_deit_tiny dense, 0.9000" in page


def test_rows_and_series_name_their_points():
    page = page_of(make_runs())
    marks = set(re.findall(r'data-tip="([^"]*)"', page))
    assert marks == {"point-0", "point-1", "point-2"}
    assert re.findall(r'<tr class="marked" data-tip-of="([^"]*)"', page) == sorted(marks)
    assert re.findall(r'<li data-tip-of="([^"]*)"', page) == sorted(marks)


def test_everything_is_escaped():
    evil = '</td><script>alert("x")</script>&amp;'
    runs = [make_run(evil, f"data.root={evil}", reducer=evil, hardware=evil), make_run("1", "data.root=y")]
    page = page_of(runs, [Unfinished(evil, (evil,), evil, evil)], title=evil)
    assert page_faults(page) == []
    assert page.count("<script") == 1
    assert evil in cells(page)
    assert f"16 tokens, data.root={evil}" in cells(page)


def test_what_there_is_nothing_of_has_no_heading():
    page = page_of([make_run("0")])
    for words in ("Without a result", ">Mind<", "tell apart", "Versions", "A bar reaches", "A line joins"):
        assert words not in page


def test_many_ties_are_folded():
    runs = [make_run(str(n), f"optim.lr=0.{n}") for n in range(9)]
    assert "<details>" in page_of(runs)
    assert "<details open>" in page_of(runs[:3])
    assert "Points that cost does not tell apart: 8" in page_of(runs)


def test_a_large_sweep_stays_small():
    runs = [
        make_run(str(n), f"model.generate_at={n % 12}", f"optim.lr=0.{n}", top1=n / 150, gmacs=1 + n % 12)
        for n in range(120)
    ]
    assert len(page_of(runs)) < 300_000


def test_what_was_measured_with_is_in_words():
    page = page_of([make_run("0", versions={"stvit_video": "1.0", "torch": "2.9"})])
    told = dict(re.findall(r"<dt>([^<]*)</dt><dd[^>]*>([^<]*)</dd>", page))
    assert told == {
        **{"hardware": "a processor", "commit": "abc", "speed": "of all runs, one after the other"},
        **{"stvit_video": "1.0", "torch": "2.9"},
    }


@pytest.mark.browser
def test_points_and_rows_show_one_another(tmp_path):
    """By mouse and by keyboard; the page asks for nothing and logs nothing, and is as wide as a narrow window."""
    path = tmp_path / "report.html"
    path.write_text(page_of(make_runs()))
    with chromium(width=500) as browser:
        from selenium.webdriver import ActionChains, Keys

        browser.get(path.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth - innerWidth") == 0

        def told(what):
            return [one.get_attribute("data-tip-of") for one in browser.find_elements("css selector", what)]

        point, row = (browser.find_element("css selector", what) for what in ("[data-tip=point-1]", "tbody tr"))
        ActionChains(browser).move_to_element(point).perform()
        box = browser.find_element("css selector", ".tip-box")
        assert box.text.splitlines()[:2] == ["stvit_video_deit_tiny, pool", "8 tokens"]
        assert told("tr.told") == told("li.told") == ["point-1"]
        assert len(browser.find_elements("css selector", ".tip.told")) == 2  # in both charts
        ActionChains(browser).move_to_element(row).perform()
        marked = [one.get_attribute("data-tip") for one in browser.find_elements("css selector", ".tip.told")]
        assert marked == ["point-0", "point-0"]
        assert not box.is_displayed()

        first = browser.find_element("css selector", "svg .tip[tabindex='0']")
        first.send_keys(Keys.ARROW_RIGHT)
        browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        assert box.text.splitlines()[1] == "dense"
        browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        assert not box.is_displayed()
        assert browser.get_log("browser") == []
        requested = browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
        assert requested == []

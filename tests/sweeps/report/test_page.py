import re
from html import unescape

import pytest
from chromium import chromium
from page_checks import page_faults
from sweep_maker import make_run, make_runs

from stvit_video.sweeps.report.page import format_failures, format_page
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
        *("stvit_video_deit_tiny, semantic", "16 tokens", "0.5000", "0.3536", "2", "40 (30 to 50)", "cost, speed"),
        *("0.2500", "0.7500", "2"),
    ]
    assert "dense" in told
    assert told[told.index("9") :][:4] == ["9", "a=1 b=2", "timed out", "took longer"]
    assert any("cost does not tell stvit_video_deit_tiny, pool" in text for text in told)
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


def test_many_groups_of_one_cost_are_folded():
    runs = [make_run(str(n), f"optim.lr=0.{n}", gmacs=2.0 ** (n // 2)) for n in range(8)]
    assert "<details>" in page_of(runs)
    assert "<details open>" in page_of(runs[:6])
    assert "Groups of points that cost does not tell apart: 4" in page_of(runs)


def test_those_that_share_the_best_are_counted_and_the_cheapest_is_named():
    runs = [make_run(str(n), tokens=n, gmacs=float(n)) for n in (8, 4)]
    words = "2 points share the best top-1 accuracy; the cheapest: stvit_video_deit_tiny, semantic 4 tokens, 0.4000"
    assert words in page_of(runs)


def test_the_name_of_one_model_stands_once_above_the_table():
    page = page_of([make_run(str(n), tokens=n, top5=0.875) for n in (8, 4)])
    assert '<p>All points are of <span dir="auto">stvit_video_deit_tiny, semantic</span>.</p>' in page
    heads = re.findall(r"<th [^>]*>([^<]*)</th>", page)
    main = ["setting", "top-1 accuracy", "GMACs", "clips/s", "front"]
    assert heads == [*main, *("top-5", "runs", "folders"), *("point", "top-5", "runs", "folders")]
    assert ".points .main :is(td, th):nth-child(n + 6) { display: none; }" in page  # on paper the second table has them
    assert "All points are of" not in page_of(make_runs())
    assert "All points are of" not in page_of([make_run("0", reducer=None)])


def test_runs_with_a_page_are_links():
    pages = {"0": "0/report.html", "9": "9/report.html"}
    page = page_of(make_runs(), [Unfinished("9", (), "failed", "")], run_pages=pages)
    assert page_faults(page) == []
    assert '<a href="0/report.html">0</a> 1</td>' in page
    assert '<td class="text" dir="auto"><a href="9/report.html">9</a></td>' in page
    assert page.count("<a ") == 3  # one of them in the table for paper


def test_a_sweep_of_failures_has_a_page():
    page = format_failures([Unfinished("a b", ("x=1",), "failed", "why<")], title="Sweep y")
    assert page_faults(page) == []
    assert re.findall(r"<h2>([^<]*)</h2>", page) == ["Without a result"]
    assert cells(page)[-4:] == ["a b", "x=1", "failed", "why<"]
    assert "None of 1 run has a result." in page


def test_counts_are_explained_where_charts_have_them():
    words = "Numbers are token counts."
    assert words in page_of(make_runs())
    dense = [make_run(str(n), f"x={n}", reducer=None, gmacs=0.5 + n / 99, top1=1 - n / 99) for n in range(41)]
    assert words not in page_of([*dense, make_run("t", top1=0.1, gmacs=9.0, speed=9.0)])  # of many only the front


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


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """The page in a narrow and low window."""
    path = tmp_path_factory.mktemp("sweep") / "report.html"
    path.write_text(page_of(make_runs()))
    with chromium(width=500, height=700) as driver:
        driver.get(path.as_uri())
        yield driver


def wait_for(browser, look):
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, 60).until(lambda _: look())


def found(browser, what, name):
    return [one.get_attribute(name) for one in browser.find_elements("css selector", what)]


@pytest.mark.browser
def test_points_and_rows_show_one_another(browser):
    from selenium.webdriver import ActionChains

    point, row = (browser.find_element("css selector", what) for what in ("[data-tip=point-1]", "tbody tr"))
    ActionChains(browser).move_to_element(point).perform()
    box = browser.find_element("css selector", ".tip-box")
    assert box.text.splitlines()[:2] == ["stvit_video_deit_tiny, pool", "8 tokens"]
    assert found(browser, "tr.told", "data-tip-of") == found(browser, "li.told", "data-tip-of") == ["point-1"]
    assert found(browser, ".tip.told", "data-tip") == ["point-1", "point-1"]  # in both charts
    ActionChains(browser).move_to_element(row).perform()
    assert found(browser, ".tip.told", "data-tip") == ["point-0", "point-0"]
    assert not box.is_displayed()


@pytest.mark.browser
def test_the_keyboard_goes_from_point_to_point_and_to_the_row(browser):
    from selenium.webdriver import Keys

    browser.find_element("css selector", "svg .tip[tabindex='0']").send_keys(Keys.ARROW_RIGHT)
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    box = browser.find_element("css selector", ".tip-box")
    assert box.text.splitlines()[1] == "dense"
    row = browser.find_element("css selector", "tr[data-tip-of=point-2]")
    is_seen = "const at = arguments[0].getBoundingClientRect(); return at.top >= 0 && at.bottom <= innerHeight"
    browser.execute_script("scrollTo(0, 0)")
    assert not browser.execute_script(is_seen, row)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    wait_for(browser, lambda: browser.execute_script(is_seen, row))
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not box.is_displayed()


@pytest.mark.browser
def test_a_finger_shows_what_a_point_says_until_it_touches_elsewhere(browser):
    browser.execute_script("scrollTo(0, 0)")
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def tap(x, y):
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    place = browser.find_element("css selector", "[data-tip=point-0] .hit").rect
    box = browser.find_element("css selector", ".tip-box")
    tap(place["x"] + place["width"] - 3, place["y"] + place["height"] / 2)
    wait_for(browser, box.is_displayed)
    assert box.text.splitlines()[1] == "16 tokens"
    assert browser.execute_script("return scrollY") == 0
    tap(5, 5)
    wait_for(browser, lambda: not box.is_displayed())


@pytest.mark.browser
def test_the_page_fits_asks_for_nothing_and_logs_nothing(browser):
    assert browser.execute_script("return document.documentElement.scrollWidth - innerWidth") == 0
    assert browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)") == []
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    sheet = {"width": 718, "height": 1047, "deviceScaleFactor": 1, "mobile": False}  # A4 within usual margins
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", sheet)
    assert browser.execute_script("return document.documentElement.scrollWidth - innerWidth") == 0
    assert browser.get_log("browser") == []

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from stvit_video.pages.charts import SHARES, axis_limits, chart_svg, series_look
from stvit_video.utils.figures import new_figure
from stvit_video.utils.plot_text import plot_text, write_literally


class Reader(HTMLParser):
    """The tips of a page with their texts and marks, and its ids and the names that refer to ids."""

    def __init__(self, page):
        super().__init__()
        self.tips, self.ids, self.used, self.texts, self.stack, self.attributes = {}, [], [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.attributes += attrs
        self.stack.append((tag, given.get("data-tip")))
        if given.get("class") == "tip":
            self.tips[given["data-tip"]] = {"title": "", "tags": []}
        for _, name in self.stack:
            if name is not None:
                self.tips[name]["tags"].append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        for key, value in attrs:
            self.used += [value[1:]] if key == "href" else re.findall(r"url\(#([^)]+)\)", value)

    def handle_endtag(self, tag):
        while self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self.stack[-1][0] == "title":
            self.tips[self.stack[-2][1]]["title"] += data
        if self.stack[-1][0] == "text":
            self.texts.append(data)


def draw(xs=(1, 2, 4), ys=(0.3, 0.5, 0.6), *, name="deit", more=()):
    figure = new_figure(4, 3, dpi=100)
    axes = figure.subplots()
    axes.plot(xs, ys, "o-", gid="curve", label=name)
    axes.plot([3], [0.4], "s", gid="point")
    axes.bar([5], [0.2], gid="bar")
    for x, y, text in more:
        axes.annotate(text, (x, y)).set_parse_math(False)
    axes.legend()
    return figure


@pytest.mark.parametrize(
    ("low", "high", "ends", "limits"),
    [
        (0.25, 0.75, SHARES, (0.25, 0.75)),  # enough
        (0.5, 0.5, SHARES, (0.4, 0.6)),  # widened
        (0.0, 0.0, SHARES, (-0.012, 0.188)),  # hardly below 0
        (1.0, 1.0, SHARES, (0.812, 1.012)),  # hardly above 1
        (3.0, 3.1, (-math.inf, math.inf), (2.95, 3.15)),
    ],
)
def test_axes_span_more_than_noise(low, high, ends, limits):
    assert axis_limits(low, high, least_span=0.2, ends=ends) == pytest.approx(limits)


def test_marks_say_what_they_are():
    reader = Reader(chart_svg(draw(), {"curve": ["a", "b", "c"], "point": "one\ntwo", "bar": "high"}))
    titles = {name: tip["title"] for name, tip in reader.tips.items()}
    assert titles == {"curve/0": "a", "curve/1": "b", "curve/2": "c", "point": "one\ntwo", "bar": "high"}
    for name in ("curve/0", "curve/1", "curve/2", "point"):
        ((_, mark),) = [one for one in reader.tips[name]["tags"] if one[0] == "use"]
        ((_, hit),) = [one for one in reader.tips[name]["tags"] if one[0] == "circle"]
        assert (mark["x"], mark["y"]) == (hit["cx"], hit["cy"])
    assert ("path", "hit area") in [(tag, given.get("class")) for tag, given in reader.tips["bar"]["tags"]]


def test_marks_are_in_the_order_of_the_points():
    """Places in the picture are those of matplotlib's own transform, in points from the top."""
    xs, ys = [4, 1, 2], [0.6, 0.3, 0.5]
    figure = draw(xs, ys)
    reader = Reader(chart_svg(figure, {"curve": ["a", "b", "c"]}))
    figure.set_dpi(72)
    wanted = figure.axes[0].transData.transform(np.stack([xs, ys], axis=1))
    for number, (x, y) in enumerate(wanted):
        (mark,) = [given for tag, given in reader.tips[f"curve/{number}"]["tags"] if tag == "use"]
        assert (float(mark["x"]), 3 * 72 - float(mark["y"])) == pytest.approx((x, y), abs=0.02)


def test_ids_of_charts_differ_and_are_all_there():
    charts = [chart_svg(draw(ys=(0.1, 0.2, last)), {"point": "p"}) for last in (0.3, 0.4)]
    readers = [Reader(chart) for chart in charts]
    assert not set(readers[0].ids) & set(readers[1].ids)
    for reader in readers:
        assert len(reader.ids) == len(set(reader.ids)) > 0
        assert set(reader.ids) == set(reader.used)
    assert chart_svg(draw(), {}) == chart_svg(draw(), {})


def test_nothing_of_a_file_of_its_own_is_left():
    chart = chart_svg(draw(), {"point": "p"}, label='"a" & b')
    assert chart.startswith('<svg class="chart" role="group" aria-label="&quot;a&quot; &amp; b" viewBox="0 0 288 216"')
    for word in ("http", "xmlns", "xlink", "<style", "<metadata", "DejaVu", "<?xml", "#000000", "#ffffff"):
        assert word not in chart
    assert "currentColor" in chart
    assert chart_svg(draw(), {}).startswith('<svg class="chart" role="img" aria-label="chart"')  # nothing in it is told


@pytest.mark.parametrize(
    "evil",
    ['</title></svg><script>alert("x")</script>', "&amp;<b>", "a\x00\x1bb\ud800", "url(#a) $x_{$ 'y'", "你好 \u202e"],
)
def test_hostile_texts_stay_texts(evil):
    kept = re.sub("[\x00\x1b\ud800]", "", evil)
    shown, families = plot_text([kept])
    figure = draw(more=[(1, 0.3, shown[0])])
    write_literally(figure.axes[0].texts, families)
    gid = kept
    figure.axes[0].lines[1].set_gid(gid)
    chart = chart_svg(figure, {gid: evil}, label=evil)
    reader = Reader(chart)
    assert reader.tips[gid]["title"] == kept
    assert shown[0] in reader.texts
    assert ("aria-label", kept) in reader.attributes
    assert "<script" not in chart
    assert reader.stack == []


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="'line', but no artist of the figure has this gid"):
        chart_svg(draw(), {"line": "a"})
    with pytest.raises(ValueError, match="'curve' has 2 tips and 3 marks"):
        chart_svg(draw(), {"curve": ["a", "b"]})
    with pytest.raises(ValueError, match="'curve' has 3 tips and 2 marks"):
        chart_svg(draw(ys=(0.3, float("nan"), 0.6)), {"curve": ["a", "b", "c"]})


def test_a_chart_of_many_points_is_small():
    rows = np.random.default_rng(0).random((2, 400))
    assert len(chart_svg(draw(*rows), {"curve": [f"point {n} of a run, 0.1234" for n in range(400)]})) < 150_000


def test_looks_differ():
    looks = [series_look(number) for number in range(40)]
    assert len(set(looks)) == 40
    assert len({look.colour for look in looks[:8]}) == len({look.marker for look in looks[:8]}) == 8

import re
from html import unescape
from random import Random

import pytest
from PIL import Image
from sweep_maker import make_run, make_runs

from stvit_video.sweeps.report import cost_plot
from stvit_video.sweeps.report.cost_plot import front_chart, joined_points, point_tip, save_plot
from stvit_video.sweeps.report.points import points_of
from stvit_video.sweeps.report.summary import SweepReport


def report_of(runs):
    return SweepReport(runs, points_of(runs))


def grid(*, places=(1, 2), counts=(16, 4, 8), **more):
    """Runs of two places, whose cost rises with place and count."""
    return [
        make_run(
            f"{place}_{count}",
            *(f"model.generate_at={place}", f"model.num_tokens={count}"),
            **{"tokens": count, "gmacs": place + count / 100, "speed": 9 - place - count / 10, **more},
        )
        for place in places
        for count in counts
    ]


def test_a_line_joins_what_differs_in_the_count():
    report = report_of([*grid(), make_run("d", reducer=None, gmacs=9.0)])
    gmacs = [point.gmacs for point in report.points]
    assert joined_points(report.points, gmacs) == [[1, 2, 0], [4, 5, 3]]
    speeds = [point.speed for point in report.points]
    assert sorted(joined_points(report.points, speeds)) == [[0, 2, 1], [3, 5, 4]]


def test_a_series_of_one_count_is_joined_by_cost():
    report = report_of(grid(places=(3, 1, 2), counts=(8,)))
    assert joined_points(report.points, [point.gmacs for point in report.points]) == [[1, 2, 0]]
    rates = report_of([make_run(str(n), f"optim.lr=0.{n}") for n in range(4)])
    assert joined_points(rates.points, [point.gmacs for point in rates.points]) == []  # all cost the same
    assert joined_points(report_of([make_run("0")]).points, [1.0]) == []


def test_tips_by_hand():
    report = report_of(make_runs())
    assert point_tip(report, report.points[0]) == (
        "stvit_video_deit_tiny, semantic\n16 tokens\ntop-1 accuracy 0.5000 ± 0.3536 (0.2500 to 0.7500)\n"
        "2 GMACs, 40 (30 to 50) clips/s\nruns 0 1"
    )
    assert point_tip(report, report.points[2]) == (
        "video_deit_tiny\ndense\ntop-1 accuracy 0.9000\n7 GMACs, 3 clips/s\nrun 3"
    )
    many = report_of([make_run(str(n), f"seed={n}") for n in range(15)])
    assert point_tip(many, many.points[0]).endswith("runs 0 1 2 3 4 5 6 7 8 9 10 11 and 3 more")


@pytest.mark.parametrize("of_speed", [False, True])
def test_a_chart_names_every_point_and_its_runs(of_speed):
    report = report_of(make_runs())
    chart = front_chart(report, of_speed=of_speed)
    tips = dict(re.findall(r'data-tip="([^"]*)"><title>([^<]*)</title>', chart))
    assert {name: unescape(text) for name, text in tips.items()} == {
        f"point-{number}": point_tip(report, point) for number, point in enumerate(report.points)
    }
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", chart)
    assert {"16", "8", "dense", "top-1 accuracy", "clips/s in inference" if of_speed else "GMACs of a view"} < {*texts}


def test_a_speed_that_was_measured_once_says_so_beside_the_axis():
    report = report_of([*make_runs(), make_run("9", "x=1", tokens=4, speed_measured=None)])
    assert ">clips/s in inference, measured once a run<" in front_chart(report, of_speed=True)
    assert "measured once" not in front_chart(report, of_speed=False)


def drawn(report, monkeypatch):
    """The axes of the panels, left and right, as they are saved."""
    kept = []
    monkeypatch.setattr(cost_plot, "save_figure", lambda figure, path: kept.append(figure))
    save_plot(report, None)
    kept[0].canvas.draw()
    return kept[0].axes


@pytest.mark.parametrize("num_series", [1, 6])
def test_no_two_labels_overlap(num_series, monkeypatch):
    random = Random(num_series)
    runs = [
        one
        for number in range(num_series)
        for place in range(1, 4)
        for one in grid(places=(place,), counts=(8, 64), reducer=f"r{number}", top1=random.random())
    ]
    for axes in drawn(report_of(runs), monkeypatch):
        boxes = [text.get_window_extent() for text in axes.texts]
        assert len(boxes) > 3
        assert not [1 for i, one in enumerate(boxes) for other in boxes[:i] if one.padded(-0.01).overlaps(other)]


def test_of_many_points_only_the_front_has_labels(monkeypatch):
    runs = [make_run(str(n), f"optim.lr=0.{n}", top1=n / 900, gmacs=5.0) for n in range(60)]
    runs += [make_run(str(n), f"optim.lr=0.{n}", top1=n / 100, gmacs=n / 10) for n in (62, 72, 82)]
    axes, _ = drawn(report_of(runs), monkeypatch)
    assert {text.get_text() for text in axes.texts} == {f"16, optim.lr=0.{n}" for n in (59, 62, 72, 82)}


def test_costs_far_apart_are_drawn_in_logarithms(monkeypatch):
    near, far = ([make_run("0", "a=0"), make_run("1", "a=1", gmacs=ratio)] for ratio in (7.0, 19.0))
    left, _ = drawn(report_of(near), monkeypatch)
    assert left.get_xscale() == "linear"
    left, _ = drawn(report_of(far), monkeypatch)
    assert left.get_xscale() == "log"
    low, high = left.get_xlim()
    ticks = [text.get_text() for text in left.get_xticklabels() if low <= text.get_position()[0] <= high]
    assert ticks == ["1", "2", "5", "10", "20"]


def test_a_difference_of_next_to_nothing_does_not_fill_the_picture(monkeypatch):
    for step, least in ((0.003, 0.02), (0.3, 0.3)):
        axes, _ = drawn(report_of([make_run(str(n), f"a={n}", top1=0.5 + n * step) for n in (0, 1)]), monkeypatch)
        low, high = axes.get_ylim()
        assert (low + high) / 2 == pytest.approx(0.5 + step / 2)
        assert least - 1e-9 <= high - low <= 1.3 * least


@pytest.mark.parametrize("best", [1.0, 0.003])
def test_no_accuracy_above_1_or_below_0_is_on_the_axis(best, monkeypatch):
    runs = [make_run("0", "a=0", top1=best), make_run("1", "a=1", top1=best - 0.003)]
    for axes in drawn(report_of(runs), monkeypatch):
        low, high = axes.get_ylim()
        assert low < best - 0.003 < best < high
        assert all(0 <= tick <= 1 for tick in axes.get_yticks() if low <= tick <= high)


def test_the_plot_is_a_picture_also_of_one_point_and_of_odd_names(tmp_path):
    odd = [make_run("0", "data.root=$x_{$", reducer="$_^{"), make_run("1", "data.root=y")]
    for name, runs in (("a", make_runs()), ("b", odd), ("c", [make_run("0")])):
        save_plot(report_of(runs), tmp_path / f"{name}.png")
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.size == (1210, 550)
            assert len(picture.convert("RGB").getcolors(maxcolors=100_000)) > 10
        assert (tmp_path / f"{name}.png").stat().st_size < 150_000
    assert "data.root=$x_{$" in front_chart(report_of(odd), of_speed=False)

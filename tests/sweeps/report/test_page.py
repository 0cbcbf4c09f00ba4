from base64 import b64decode
from html.parser import HTMLParser

from sweep_maker import make_run, make_runs

from stvit_video.sweeps.report.page import format_page
from stvit_video.sweeps.report.points import Unfinished, points_of
from stvit_video.sweeps.report.summary import SweepReport


class Reader(HTMLParser):
    """Collects tags, addresses and texts, and counts what is open."""

    def __init__(self):
        super().__init__()
        self.tags, self.addresses, self.cells, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [
            value for key, value in attrs if key in ("src", "href", "srcset", "action", "data", "poster")
        ]
        assert not [key for key, _ in attrs if key.startswith("on")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "code", "h1", "li"):
            self.cells.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def page_of(runs, unfinished=(), title="Sweep x"):
    return format_page(SweepReport(runs, points_of(runs), unfinished), title=title, png=b"picture")


def test_the_page_needs_nothing_from_elsewhere():
    page = page_of(make_runs())
    (address,) = read(page).addresses
    assert b64decode(address.removeprefix("data:image/png;base64,")) == b"picture"
    for word in ("http", "//", "url(", "@import", "<link", "<iframe"):
        assert word not in page.replace(address, "")
    assert len(page) < 20_000


def test_points_failures_and_warnings_are_told():
    page = page_of(make_runs(), [Unfinished("9", ("a=1", "b=2"), "timed out", "took longer")])
    cells = read(page).cells
    assert {"stvit_video_deit_tiny, semantic", "16 tokens", "0.5000", "0 1"} <= set(cells)
    assert cells[cells.index("9") :][:4] == ["9", "a=1 b=2", "timed out", "took longer"]
    assert any("cost does not tell them apart" in cell for cell in cells)
    assert page.count('<tr class="best">') == 3
    assert "4 finished runs make 3 points, 1 have no result. Best top-1 accuracy: video_deit_tiny, 0.9000" in page


def test_everything_is_escaped():
    evil = '</td><script>alert("x")</script>&amp;'
    runs = [make_run(evil, f"data.root={evil}", reducer=evil, hardware=evil), make_run("1", "data.root=y")]
    page = page_of(runs, [Unfinished(evil, (evil,), evil, evil)], title=evil)
    reader = read(page)
    assert reader.tags.count("script") == 1
    assert evil in reader.cells
    assert f"data.root={evil}".removeprefix("model.") in " ".join(reader.cells)


def test_without_failures_there_is_no_list_of_them():
    page = page_of([make_run("0")])
    assert "Without a result" not in page
    assert "<h2>Mind</h2>" not in page


def test_a_large_sweep_stays_small():
    runs = [make_run(str(n), f"model.generate_at={n % 12}", f"optim.lr=0.{n}", top1=n / 150) for n in range(120)]
    assert len(page_of(runs)) < 150_000


def test_what_was_measured_with_is_in_words_and_without_empty_lines():
    run = make_run("0", versions={"stvit_video": "1.0", "torch": "2.9"})
    cells = read(page_of([run])).cells
    assert "versions: stvit_video 1.0, torch 2.9" in cells
    assert not [cell for cell in cells if cell.startswith("protocol")]  # a detector has none

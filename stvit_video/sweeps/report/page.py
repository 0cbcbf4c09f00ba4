"""The report of a sweep as one HTML file that needs nothing else: no network, no other file."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from stvit_video.sweeps.report.points import Unfinished
from stvit_video.sweeps.report.summary import METRIC_WORDS, SweepReport, report_rows

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222; }
img { max-width: 100%; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .25em .7em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
th[data-sort] { cursor: pointer; user-select: none; }
th[aria-sort=ascending]::after { content: " \\2191"; }
th[aria-sort=descending]::after { content: " \\2193"; }
td.number { text-align: right; }
tr.best td { background: #eef6e8; }
code { font-size: .9em; overflow-wrap: anywhere; }
"""
SCRIPT = """
for (const head of document.querySelectorAll("th[data-sort]")) head.addEventListener("click", () => {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const column = head.cellIndex, body = head.closest("table").tBodies[0], rows = [...body.rows];
  const value = row => row.cells[column].textContent.trim();
  const compare = (a, b) => head.dataset.sort === "number"
    ? (parseFloat(value(a)) || 0) - (parseFloat(value(b)) || 0) : value(a).localeCompare(value(b));
  rows.sort((a, b) => up ? compare(a, b) : compare(b, a));
  body.append(...rows);
});
"""
WORDS = ("series", "setting", "runs")  # columns that are sorted as texts
FACTS = ("commit", "hardware", "date", "protocol", "versions")


def format_page(report: SweepReport, *, title: str, png: bytes | None) -> str:
    """The page.

    Args:
        report: of the sweep.
        title: for example its folder.
        png: the picture that `save_plot` draws; None = it could not be drawn.
    """
    picture = "" if png is None else f"data:image/png;base64,{b64encode(png).decode('ascii')}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{_summary(report)}</p>",
        f'<p><img alt="accuracy against cost" src="{picture}"></p>' if picture else "",
        "<p>Bars: from the smallest to the largest run of a point. Green rows are on a Pareto front: nobody is as "
        "cheap and as good, and cheaper or better. A click on a column sorts by it.</p>",
        _table(report_rows(report)),
        _warnings(report.warnings),
        _unfinished(report.unfinished),
        _facts(report),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    body = "\n".join(part for part in parts if part)
    script = f"<script>{SCRIPT}</script>"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n{script}</body></html>\n'


def _summary(report: SweepReport) -> str:
    best = max(report.points, key=lambda point: point.quality.mean)
    counts = (
        f"{len(report.runs)} finished runs make {len(report.points)} points, {len(report.unfinished)} have no result"
    )
    return escape(f"{counts}. Best {METRIC_WORDS[report.metric]}: {best.name}, {best.quality.describe()}.")


def _table(rows: Sequence[dict[str, str]]) -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    kinds = {key: "text" if key in WORDS else "number" for key in columns}
    head = "".join(f'<th data-sort="{kinds[key]}">{escape(key.replace("_", " "))}</th>' for key in columns)
    lines = []
    for row in rows:
        best = "1" in (row["best_for_gmacs"], row["best_for_speed"])
        cells = "".join(f'<td class="{kinds[key]}">{escape(row.get(key, ""))}</td>' for key in columns)
        lines.append(f'<tr class="best">{cells}</tr>' if best else f"<tr>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(lines) + "\n</tbody></table>"


def _warnings(sentences: Sequence[str]) -> str:
    items = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<h2>Mind</h2>\n<ul>\n{items}\n</ul>" if items else ""


def _unfinished(runs: Sequence[Unfinished]) -> str:
    cells = [(run.name, " ".join(run.overrides), run.state, run.reason) for run in runs]
    rows = "\n".join(
        f"<tr><td>{escape(name)}</td><td><code>{escape(text)}</code></td><td>{escape(state)}</td>"
        f"<td>{escape(reason)}</td></tr>"
        for name, text, state, reason in cells
    )
    head = "<tr><th>run</th><th>overrides</th><th>state</th><th>reason</th></tr>"
    return f"<h2>Without a result</h2>\n<table>{head}\n{rows}\n</table>" if rows else ""


def _facts(report: SweepReport) -> str:
    """What the runs were measured with; every value that occurs."""
    items = []
    for key in FACTS:
        values = sorted({_in_words(run.result[key]) for run in report.runs if key in run.result})
        if not values:
            continue  # detectors and segmenters have no protocol
        told = values if len(values) <= 3 else [values[0], "...", values[-1]]
        items.append(f"<li>{escape(key)}: {escape('; '.join(told))}</li>")
    return "<h2>Measured with</h2>\n<ul>\n" + "\n".join(items) + "\n</ul>"


def _in_words(value: object) -> str:
    return ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else str(value)

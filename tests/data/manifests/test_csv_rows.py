from pathlib import Path

import pytest

from stvit_video.data.manifests.csv_rows import CsvRow, filter_rows, read_labels, read_rows, read_segment
from stvit_video.data.manifests.faults import Faults, ManifestError


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rows_carry_their_line_and_survive_quotes_commas_and_blank_lines(tmp_path):
    path = written(tmp_path, '\ufeffpath,label\n"a, b.mp4",x\n\n"ein ""Ü"".mp4",y\r\n')
    faults = Faults("list")
    rows = read_rows(path, needed=("path", "label"), faults=faults)
    assert rows == [
        CsvRow(2, {"path": "a, b.mp4", "label": "x"}),
        CsvRow(4, {"path": 'ein "Ü".mp4', "label": "y"}),
    ]
    faults.raise_if_any()


def test_rows_with_too_many_or_too_few_fields_are_faults_with_their_line(tmp_path):
    path = written(tmp_path, "path,label\na, b.mp4,x\nc.mp4,y\nd.mp4\n")
    faults = Faults("list")
    assert [row.line for row in read_rows(path, needed=("path",), faults=faults)] == [3]
    assert [line for line, _ in faults.found] == [2, 4]
    with pytest.raises(ManifestError, match=r"line 2: not 2 fields\b.*\n  line 4: not 2 fields\b"):
        faults.raise_if_any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # the whole sentence, once for its family
        (
            "a.mp4,x\nb.mp4,y\n",
            r"list\.csv has no column path, label; its first line must be a header with path,label, it is: a\.mp4,x$",
        ),
        ("path\na.mp4\n", "no column label;.*: path$"),
        ("", "no column path, label;.*: empty$"),
        (b"path,label\n\xff\xfe.mp4,x\n", r"list\.csv .*UTF-8 .*byte 0xff\b"),
        (
            'path,label\nc.mp4,y\n\n"a.mp4,x\nb.mp4,y\n',
            r"list\.csv, line 4: .*quote .*not closed .*unexpected end of data",
        ),
        ('path,label\n"a.mp4,x\n"b.mp4",y\n', r"list\.csv, line 2: .*quote .*not closed"),
        (
            "path;label\na.mp4;x\n",
            r"list\.csv .*semicolons; .*: path,label, not 'path;label'",
        ),
        ("Label \t Path\tnote, long\nx\ta.mp4\t\n", r"list\.csv .*tabs; .*: path,label, "),
        ("path|label\n", r"list\.csv .*vertical bars; .*: path,label, "),
        ("path,label, Label\na.mp4,x,y\n", "column label more than once"),
        ("path,label\na.mp4,x,1\n", r"1 fault\(s\):\n  line 2: not 2 fields"),
    ],
)
def test_files_that_are_no_such_csv_are_refused(tmp_path, text, message):
    with pytest.raises(ManifestError, match=message):
        read_rows(written(tmp_path, text), needed=("path", "label"), faults=Faults("list"))


def test_column_names_are_taken_without_blanks_and_capitals(tmp_path):
    path = written(tmp_path, " \n Label,PATH ,Fold,\nx,a.mp4, 1,\n")
    rows = read_rows(path, needed=("path", "label"), faults=Faults("list"))
    assert rows == [CsvRow(3, {"label": "x", "path": "a.mp4", "fold": " 1", "": ""})]
    assert filter_rows(rows, {" Fold": (1,)}, wanted=True, source="list") == rows
    assert filter_rows(rows, {"fold": ("1 ",)}, wanted=False, source="list") == []


def test_blank_lines_are_passed_over_but_empty_fields_are_not(tmp_path):
    path = written(tmp_path, "path,label\n   \na.mp4,x\n\t\n , \n")
    rows = read_rows(path, needed=("path", "label"), faults=Faults("list"))
    assert rows == [CsvRow(3, {"path": "a.mp4", "label": "x"}), CsvRow(5, {"path": " ", "label": " "})]


def test_a_folder_is_no_manifest(tmp_path):
    with pytest.raises(ManifestError, match="is a folder and no CSV;"):
        read_rows(tmp_path, needed=("path",), faults=Faults("list"))


def test_a_file_below_a_file_can_not_be_read(tmp_path):
    below = written(tmp_path, "path,label\n") / "other.csv"
    with pytest.raises(ManifestError, match=r"other\.csv .*\(Not a directory\)"):
        read_rows(below, needed=("path",), faults=Faults("list"))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ManifestError, match=r"no manifest .*nowhere\.csv;"):
        read_rows(tmp_path / "nowhere.csv", needed=("path",), faults=Faults("list"))


ROWS = [CsvRow(n + 2, {"fold": str(n % 4), "kind": "ab"[n % 2]}) for n in range(11)]


def test_filter_keeps_or_drops_by_several_columns():
    kept = filter_rows(ROWS, {"fold": (1, "2"), "kind": ["b"]}, wanted=True, source="list")
    assert [row.fields["fold"] for row in kept] == ["1", "1", "1"]
    dropped = filter_rows(ROWS, {"fold": (1, "2")}, wanted=False, source="list")
    assert {row.fields["fold"] for row in dropped} == {"0", "3"}
    both = filter_rows(ROWS, {"fold": (1, 2)}, wanted=True, source="list") + dropped
    assert sorted(both) == sorted(ROWS)


def test_filter_by_what_is_not_there_is_an_error():
    with pytest.raises(ManifestError, match="no column 'flod' .* fold, kind$"):
        filter_rows(ROWS, {"flod": (1,)}, wanted=True, source="list")
    # the whole sentence, once for its family
    with pytest.raises(ManifestError, match=r"^list: no row has fold = 7, 9; values there: 0, 1, 2, 3$"):
        filter_rows(ROWS, {"fold": (1, 9, 7)}, wanted=False, source="list")
    with pytest.raises(ValueError, match="column 'fold' .*text '12'"):
        filter_rows(ROWS, {"fold": "12"}, wanted=True, source="list")


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [("", "", (None, None)), ("1.5", "", (1.5, None)), (" 0 ", "2e1", (0.0, 20.0)), ("", "3", (None, 3.0))],
)
def test_segments_are_read(start, end, expected):
    faults = Faults("list")
    row = CsvRow(2, {"from": start, "to": end})
    assert read_segment(row, start_column="from", end_column="to", faults=faults) == expected
    assert read_segment(CsvRow(2, {}), start_column="from", end_column="to", faults=faults) == (None, None)
    assert not faults.found


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        # the whole sentence, once for its family
        ("soon", "", r"from='soon' is no number of seconds; write e\.g\. 12\.5, or leave it empty$"),
        ("-1", "3", "from='-1' .*no number"),
        ("nan", "", "from='nan' .*no number"),
        ("", "inf", "to='inf' .*no number"),
        ("3", "3", ".*segment .*3 s .*3 s;"),
        ("", "0", ".*segment .*0 s .*0 s;"),
    ],
)
def test_bad_segments_are_faults(start, end, message):
    faults = Faults("list")
    read_segment(CsvRow(6, {"from": start, "to": end}), start_column="from", end_column="to", faults=faults)
    with pytest.raises(ManifestError, match=f"line 6: {message}"):
        faults.raise_if_any()


@pytest.mark.parametrize(
    ("written", "expected", "fault"),
    [
        ("x", ("x",), None),
        (" y |x y| z", ("y", "x y", "z"), None),
        ("  ", (), None),
        ("x|", ("x",), "'x|' has an empty label beside a '|'; remove the separator, or name the label"),
        ("|", (), "'|' has an empty label beside a '|'; remove the separator, or name the label"),
        ("x| x|y|x", ("x", "y"), "'x| x|y|x' names 'x' 3 times; name each label once"),
    ],
)
def test_several_labels_of_a_field(written, expected, fault):
    faults = Faults("list")
    assert read_labels(CsvRow(7, {"label": written}), separator="|", faults=faults) == expected
    assert faults.found == ([(7, fault)] if fault else [])
    spaced = Faults("list")
    assert read_labels(CsvRow(7, {"label": "km/h / m/s / "}), separator=" / ", faults=spaced) == ("km/h", "m/s")
    assert spaced.found == [
        (7, "'km/h / m/s /' has an empty label beside a ' / '; remove the separator, or name the label")
    ]

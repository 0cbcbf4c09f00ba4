import json
import re
from pathlib import Path

import pytest

from stvit_video.data.layouts.something_something import read_something_classes, read_something_manifest
from stvit_video.data.manifests.faults import ManifestError

LABELS = {
    "Pushing something from left to right": "2",
    "Closing something": "0",
    "Putting something into something": "1",
}
TRAIN = [
    {"id": "78687", "label": "closing a box", "template": "Closing [something]", "placeholders": ["a box"]},
    {"id": "5", "label": "...", "template": "Putting [something] into [something]", "placeholders": ["a", "b"]},
    {"id": 119, "template": "Pushing [something] from left to right"},
]


def make_tree(root: Path, entries=TRAIN, labels=LABELS) -> dict:
    (root / "videos").mkdir(exist_ok=True)
    for name in (78687, 5, 119):
        (root / "videos" / f"{name}.webm").touch()
    (root / "train.json").write_text(json.dumps(entries))
    (root / "labels.json").write_text(json.dumps(labels))
    return {"path": root / "train.json", "labels": root / "labels.json", "video_dir": root / "videos"}


def test_published_layout(tmp_path):
    manifest = read_something_manifest(**make_tree(tmp_path))
    assert manifest.classes == (
        "Closing something",
        "Putting something into something",
        "Pushing something from left to right",
    )
    assert [(record.video_id, record.label) for record in manifest.records] == [
        ("78687.webm", 0),
        ("5.webm", 1),
        ("119.webm", 2),
    ]
    assert manifest.records[1].path == tmp_path / "videos" / "5.webm"
    turned = read_something_manifest(**make_tree(tmp_path), classes=manifest.classes[::-1])
    assert [record.label for record in turned.records] == [2, 1, 0]


def test_missing_videos(tmp_path, caplog):
    places = make_tree(tmp_path)
    (tmp_path / "videos" / "5.webm").rename(tmp_path / "videos" / "5.mp4")  # transcoded
    (tmp_path / "videos" / "119.webm").unlink()
    # the whole sentence, once for its family
    whole = r"1 fault\(s\):\n  there is no video .*videos/119\.webm; get it, or use data.missing=drop$"
    with pytest.raises(ManifestError, match=whole):
        read_something_manifest(**places)
    assert [r.video_id for r in read_something_manifest(**places, missing="keep").records][1:] == ["5.mp4", "119.webm"]
    assert len(read_something_manifest(**places, missing="drop").records) == 2
    [message] = caplog.messages
    assert re.search(rf"^{re.escape(str(tmp_path / 'train.json'))}: 1 videos .*\b2 stay$", message)
    with pytest.raises(ValueError, match="missing='skip' .*error, drop, keep"):
        read_something_manifest(**places, missing="skip")


def test_faulty_entries_are_named_together(tmp_path):
    entries = [*TRAIN, {"id": "7"}, "8", {"id": "5", "template": "Closing [something]"}]
    with pytest.raises(ManifestError) as caught:
        read_something_manifest(**make_tree(tmp_path, entries))
    expected = [
        rf"^{re.escape(str(tmp_path / 'train.json'))} .*\b3 fault",
        "^  entry 4 .*no id or no template",
        "^  entry 5 .*no id or no template",
        r"^  entry 6: id 5 .*already .*entry 2\b",
    ]
    for line, words in zip(str(caught.value).splitlines(), expected, strict=True):
        assert re.search(words, line)


def test_template_that_is_no_label(tmp_path):
    places = make_tree(tmp_path, [{"id": "5", "template": "Eating [something]"}])
    with pytest.raises(ManifestError, match="label 'Eating something'; .*3 .*classes are Closing"):
        read_something_manifest(**places)


def test_all_174_numbers_are_put_in_order_by_value(tmp_path):
    names = [f"Doing {number} to something" for number in range(174)]
    (tmp_path / "labels.json").write_text(json.dumps({name: str(names.index(name)) for name in sorted(names)}))
    assert read_something_classes(tmp_path / "labels.json") == tuple(names)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        # the whole sentence, once for its family
        (
            {"a": "0", "b": "3"},
            r"labels\.json must number its 2 classes 0 to 1, each once; it has 3; get the published file$",
        ),
        ({"a": "0", "b": 0}, r"\b2 classes 0 to 1, .*one .*twice"),
        (["a", "b"], r"labels\.json .*no class names .*\{\.\.\.\}"),
    ],
)
def test_faulty_labels(tmp_path, labels, message):
    with pytest.raises(ManifestError, match=message):
        read_something_manifest(**make_tree(tmp_path, labels=labels))


def test_files_that_are_absent_or_no_json(tmp_path):
    places = make_tree(tmp_path)
    places["path"].write_text("id;template\n")
    with pytest.raises(ManifestError, match=r"train\.json .*JSON .*line 1 column 1\b"):
        read_something_manifest(**places)
    places["path"].write_text("{}")
    with pytest.raises(ManifestError, match=r"train\.json .*no list .*\[\.\.\.\]"):
        read_something_manifest(**places)
    places["path"].unlink()
    with pytest.raises(ManifestError, match=r"there is no .*train\.json;"):
        read_something_manifest(**places)

import csv
import json
import re
import resource
import time
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from chromium import chromium
from page_checks import page_faults
from PIL import Image, ImageColor

from stvit_video.evaluation.class_table import write_class_table
from stvit_video.evaluation.metrics import classification_metrics
from stvit_video.pages.confusion_part import COLOUR, Confusion
from stvit_video.pages.render import TEMPLATES, isolated
from stvit_video.pages.run_page import MAX_UNREAD, write_run_page

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u202eabc"
REST = ["label_score", "num_views", "error"]
TABLES = ["result.json", "predictions.csv", "per_class.csv"]


class Text(HTMLParser):
    """The text of each heading of a page, and what stands below it."""

    def __init__(self, page):
        super().__init__()
        self.parts, self.inside, self.tags = {"": ""}, [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img", "br", "input"):
            self.inside.append(tag)
        self.tags.append(tag)
        if tag == "h2":
            self.parts[None] = ""

    def handle_endtag(self, tag):
        self.inside.pop()

    def handle_data(self, data):
        if self.inside[-1:] == ["h2"]:
            self.parts.pop(None)
            self.parts[data] = ""
        elif self.inside[-1:] and self.inside[-1] not in ("style", "script"):
            self.parts[list(self.parts)[-1]] += f"{data} "


def written(folder, **values):
    write_run_page(folder, **{"written": TABLES, **values})
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page_faults(page) == []
    return page, {head: " ".join(text.split()) for head, text in Text(page).parts.items()}


def make_run(folder, *, labels, said, classes, errors=(), names=None, result=None):
    """The files of an evaluation that says with certainty .75 what stands in `said`; the matrix of it."""
    labels, said, num_classes = torch.tensor(labels), torch.tensor(said), len(classes)
    scores = torch.full((len(labels), num_classes), 0.25 / (num_classes - 1))
    scores[torch.arange(len(labels)), said] = 0.75
    metrics = classification_metrics(scores, labels, num_classes=num_classes)
    write_class_table(folder / "per_class.csv", metrics, labels=labels, classes=classes)
    (folder / "result.json").write_text(json.dumps({"result": f"top-1 {metrics['top1']:.3f}", **(result or {})}))
    names = names or [f"v{place}.mp4" for place in range(len(labels))]
    with (folder / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["video", "label", "prediction", "top1_label", "top1_score", "correct", *REST])
        for place, (label, answer) in enumerate(zip(labels.tolist(), said.tolist(), strict=True)):
            score = float(scores[place, label])
            row = [names[place], classes[label], classes[answer], classes[answer], 0.75, int(label == answer)]
            writer.writerow([*row, score, 1, ""])
        for name, reason in errors:
            writer.writerow([name, classes[0], "", "", "", "", "", 0, reason])
    return Confusion(matrix=metrics["confusion_matrix"], classes=classes)


def test_an_evaluation_with_everything(tmp_path):
    confusion = make_run(
        tmp_path,
        labels=[0, 0, 1, 2],
        said=[0, 1, 1, 0],
        classes=("run", "jump", "wave"),
        errors=[("x.mp4", "damaged")],
        result={"result": "top-1 0.500 (4 of 5)", "top1": 0.5, "mean_class_accuracy": 0.5, "num_classes": 3}
        | {"num_videos_listed": 5},
    )
    read = []

    def frame(name):
        read.append(name)
        if name == "v3.mp4":
            raise OSError("v3.mp4 is gone")
        return np.zeros((24, 32, 3), dtype=np.uint8)

    page, parts = written(tmp_path, confusion=confusion, read_frame=frame)
    assert f"Evaluation: {tmp_path.name}" in unescape(page)
    assert "Mind 1 of 5 videos could not be read and is not counted. top-1 0.500 mean class accuracy" in parts[""]
    words = f"Always saying {isolated('run')} would give a top-1 of 0.500, guessing 0.333. top-1 0.500 (4 of 5)"
    assert words in parts[""]
    assert list(parts) == ["", "Classes", "Which classes are taken for which", "Worst videos", "Could not be read"]
    assert parts["Classes"].startswith(
        "All classes by accuracy, worst first. wave 0.000 (1 video) run 0.500 (2 videos)"
    )
    assert "jump 1" in parts["Which classes are taken for which"]
    assert read == ["v1.mp4", "v3.mp4"]
    assert page.count("data:image/jpeg") == 1
    assert "said: jump 0.750 true: run 0.125 v1.mp4 v3.mp4 is gone said: run 0.750 true: wave" in parts["Worst videos"]
    assert parts["Could not be read"].startswith("1 file is not counted: Names and reasons x.mp4 : damaged")


def test_nothing_is_wrong(tmp_path):
    confusion = make_run(tmp_path, labels=[0, 1], said=[0, 1], classes=("run", "jump"))
    _, parts = written(tmp_path, confusion=confusion, read_frame=lambda name: pytest.fail(name))
    assert parts["Worst videos"] == "No video is labelled wrongly."
    assert parts["Which classes are taken for which"].endswith("No class is taken for another.")
    assert "Could not be read" not in parts


def test_all_is_wrong_and_many_could_not_be_read(tmp_path):
    errors = [(f"x{place}.mp4", "damaged") for place in range(MAX_UNREAD + 3)]
    confusion = make_run(tmp_path, labels=[0] * 30, said=[1] * 30, classes=("run", "jump"), errors=errors)
    page, parts = written(tmp_path, confusion=confusion)
    assert parts["Worst videos"].count("said: jump") == 20
    assert "<img" not in page  # nobody reads frames
    assert parts["Could not be read"].startswith("203 files are not counted; the first 200:")
    assert parts["Could not be read"].count("damaged") == 200


def test_names_can_not_write_the_page(tmp_path):
    names = [HOSTILE, "../../etc/passwd", "a" * 300]
    confusion = make_run(
        tmp_path,
        labels=[0, 0, 1],
        said=[1, 1, 0],
        classes=(HOSTILE, "b" * 300),
        names=names,
        errors=[(HOSTILE, HOSTILE)],
    )
    (tmp_path / "config.yaml").write_text(f"run: {HOSTILE}\n", encoding="utf-8")

    def fail(name):
        raise OSError(name)

    page, parts = written(tmp_path, confusion=confusion, read_frame=fail)
    assert "<img" not in page
    assert page.count("<script") == 1
    for name in names:
        assert name in parts["Worst videos"]
    assert HOSTILE in parts["Settings"]


def test_a_training_has_curves_settings_and_a_new_page(tmp_path):
    make_run(tmp_path, labels=[0, 1], said=[0, 1], classes=("a", "b"), result={"training": None, "checkpoint": "best"})
    (tmp_path / "metrics.csv").write_text("epoch,train/loss,val/top1\n0,1.5,0.5\n")
    (tmp_path / "config.yaml").write_text("seed: 3\n")
    (tmp_path / "report.html").write_text("of an earlier training")
    page, parts = written(tmp_path, written=["result.json"])
    assert "Training: " in page
    assert list(parts) == ["", "Course of the training", "Settings"]
    assert page.count("<svg") == 2
    assert "train/loss\nepoch 1: 1.5" in page
    assert "Checkpoint best.ckpt" in parts[""]


def test_a_page_that_can_not_be_made_leaves_no_old_one(tmp_path):
    (tmp_path / "report.html").write_text("of an earlier evaluation")
    (tmp_path / "result.json").write_text("{")
    with pytest.raises(ValueError, match="line 1"):
        write_run_page(tmp_path, written=TABLES)
    assert not (tmp_path / "report.html").exists()


def test_pictures_of_the_folder_stand_in_the_page(tmp_path):
    (tmp_path / "result.json").write_text('{"result": "AP 0.5", "errors": {"7": "7.jpg is empty"}}')
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "examples.png")
    Image.fromarray(noise[:20, :20]).save(tmp_path / "pr_curves.png")
    Image.fromarray(noise[:20, :20]).save(tmp_path / "confusion_matrix.png")
    names = ["result.json", "examples.png", "pr_curves.png", "confusion_matrix.png"]
    page, parts = written(tmp_path, written=names)
    assert list(parts) == ["", "Precision against recall", "Best and worst pictures", "Could not be read"]
    assert re.findall(r"data:image/(\w+)", page) == ["png", "jpeg"]  # the large one is a JPEG
    assert "7 : 7.jpg is empty" in parts["Could not be read"]
    confusion = Confusion(matrix=torch.eye(2, dtype=torch.int64), classes=("a", "b"), unit="pixels")
    page, parts = written(tmp_path, written=names, confusion=confusion)
    assert "100 %" in parts["Which classes are taken for which"]
    assert re.findall(r"data:image/(\w+)", page) == ["png", "jpeg"]  # the matrix is no picture


def test_logits_are_called_so(tmp_path):
    sizes = {"num_frames": 1, "frame_stride": 1, "short_side": 32, "crop_size": 28}
    protocol = {"name": "uniform", "num_clips": 1, "num_crops": 1, "average": "logit"}
    values = {"protocol": protocol, "preprocessing": sizes}
    make_run(tmp_path, labels=[0, 1], said=[1, 1], classes=("a", "b"), result=values)
    _, parts = written(tmp_path)
    assert "the highest logit above the true one" in parts["Worst videos"]
    names = {"names": ["a/1.png", "b/2.png"]}
    confusion = make_run(tmp_path, labels=[0, 1], said=[1, 1], classes=("a", "b"), result=values, **names)
    _, parts = written(tmp_path, confusion=confusion)
    assert not any("video" in text for text in parts.values())  # pictures are called so
    assert "Worst pictures" in parts


def test_several_labels(tmp_path):
    (tmp_path / "result.json").write_text('{"result": "mAP 0.500", "multi_label": true}')
    (tmp_path / "predictions.csv").write_text(
        "video,labels,predictions,top1_label,top1_score,top2_label,top2_score,label_score,num_views,error\n"
        "right.mp4,run|sit,run|sit,run,0.9,sit,0.8,0.8,1,\n"
        "missed.mp4,run|sit,run,run,0.9,sit,0.2,0.2,1,\n"
        "gone.mp4,run,,,,,,,0,no such file\n"
    )
    _, parts = written(tmp_path)
    assert "A label is said from a probability of 0.5 on" in parts["Worst videos"]
    assert parts["Worst videos"].endswith("missed: sit 0.200 true: run, sit missed.mp4")
    assert "gone.mp4 : no such file" in parts["Could not be read"]


def test_recordings_with_several_labels_have_no_share_of_videos(tmp_path):
    one, none = {"steps": 40, "recall": 0.5}, {"steps": 0, "recall": None}
    result = {
        "result": "F1 0.5",
        "num_videos_used": 2,
        "num_videos_listed": 2,
        "num_classes": 2,
        "multi_label": True,
        "per_class": {"run": one, "sit": none},
    }
    (tmp_path / "result.json").write_text(json.dumps(result))
    _, parts = written(tmp_path, written=["result.json"])
    assert "1 class by recall, worst first; 1 class has no step. run 0.500 (40 steps) All" in parts["Classes"]
    assert "%" not in parts["Classes"]


def test_one_class_and_a_class_without_a_score(tmp_path):
    (tmp_path / "result.json").write_text('{"result": "AP -"}')
    (tmp_path / "per_class.csv").write_text("class,objects,box_AP\ncat,0,\n")
    _, parts = written(tmp_path)
    assert parts["Classes"].startswith("No class has box AP; 1 class has no object. The only class Search")


def test_numbers_are_read_on_the_strongest_colour_of_a_cell():
    """The contrast is that of WCAG 2.2, which asks for 4.5."""

    def luminance(colour):
        parts = [part / 3294.6 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    css, run = ((TEMPLATES / name).read_text() for name in ("page.css", "run.html"))
    most = float(re.search(r"rgb\(10 95 180 / calc\((\S+) \* var\(--share", run)[1])
    looks = re.findall(r"--page: (#\w+); .*--text: (#\w+);", css)
    assert len(looks) == 3  # light, dark, paper
    for names in looks:
        page, text = (ImageColor.getrgb(name) for name in names)
        cell = [most * ours + (1 - most) * under for ours, under in zip(COLOUR, page, strict=True)]
        dark, light = sorted(luminance(colour) + 0.05 for colour in (cell, text))
        assert light / dark > 4.5


def test_a_thousand_classes_stay_readable_and_cheap(tmp_path):
    num_classes = 1000
    labels = [place % num_classes for place in range(5 * num_classes)]
    said = [(label * 7 + 3) % num_classes if place >= 4000 else label for place, label in enumerate(labels)]
    classes = tuple(f"class number {label}" for label in range(num_classes))
    confusion = make_run(tmp_path, labels=labels, said=said, classes=classes)
    used, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    page, parts = written(tmp_path, confusion=confusion, read_frame=lambda name: np.zeros((240, 320, 3), np.uint8))
    assert time.process_time() - begin < 15  # 2 seconds when nobody else works
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used < 200_000  # KiB
    assert len(page) < 1_500_000
    assert parts["Classes"].startswith("The 30 worst of 1000 classes by accuracy")
    assert "All 1000 classes" in parts["Classes"]
    told = parts["Which classes are taken for which"]
    assert "it shows the largest of 2 x 2 classes" in told
    assert "class number 1 1 class number 10 10 1 20.0 %" in told
    assert "mistaken most often: 60 of 1000" in told


def test_pages_of_the_tasks_that_look_at_pictures(tiny_detector, tiny_segmenter):
    for run, heads in ((tiny_detector, ["Precision against recall"]), (tiny_segmenter, [])):
        page = (run.folder / "report.html").read_text()
        assert page_faults(page) == []
        parts = Text(page).parts
        assert {"Course of the training", "Classes", "Best and worst pictures", "Settings", *heads} <= set(parts)
        assert ("Which classes are taken for which" in parts) == (run is tiny_segmenter)
        assert f"All {run.result['num_classes']} classes" in parts["Classes"]


@pytest.mark.browser
def test_classes_are_found_by_their_names_and_curves_say_their_values(tmp_path):
    names = tuple(f"class number {label} {'x' * 40}" for label in range(60))
    confusion = make_run(tmp_path, labels=range(60), said=[*range(1, 60), 0], classes=names)
    (tmp_path / "metrics.csv").write_text("epoch,train/loss\n0,1.5\n1,0.5\n")
    written(tmp_path, confusion=confusion, read_frame=lambda name: np.zeros((120, 160, 3), np.uint8))
    with chromium(width=500, height=700) as browser:
        browser.get((tmp_path / "report.html").as_uri())
        width, window = browser.execute_script("return [document.body.scrollWidth, document.body.clientWidth]")
        assert width <= window  # wide things scroll in boxes of their own
        browser.find_element("css selector", "summary").click()
        search = browser.find_element("css selector", "input[type=search]")
        search.send_keys("NUMBER 17")
        rows = browser.find_element("css selector", "details").find_elements("css selector", "tbody tr")
        assert [row.text.split()[2] for row in rows if row.is_displayed()] == ["17"]
        (name,) = (row.find_element("css selector", "td") for row in rows if row.is_displayed())
        assert name.size["width"] >= 280  # though the numbers beside it don't fit
        mark = browser.find_element("css selector", "[data-tip='train/loss/1']")
        mark.send_keys("\ue012")  # the key to the left: from the last mark to the first
        assert browser.find_element("css selector", ".tip-box").text == "train/loss\nepoch 1: 1.5"
        mark.send_keys("\ue004")  # Tab: on to what has a name, not to the chart as a whole
        assert browser.switch_to.active_element.tag_name == "summary"
        assert browser.execute_script(
            "const svg = document.querySelector('svg.chart'); svg.focus(); return document.activeElement !== svg"
        )
        search.send_keys("nobody")
        assert browser.find_element("css selector", ".search output").text == "no class has such a name"
        browser.find_element("css selector", "summary").click()
        unfolded = "return document.querySelectorAll('details[open]').length"
        assert browser.execute_script(unfolded) == 1
        browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        assert browser.execute_script(unfolded) == 2
        browser.execute_script("dispatchEvent(new Event('afterprint'))")
        assert browser.execute_script(unfolded) == 1
        assert browser.get_log("browser") == []

"""The page as a visitor has it, in headless Chromium: one demo for all tests here."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle

import pytest
import torch
from chromium import chromium
from elastic_run import CLASSES, OPTIONS, SIZES
from odd_videos import mpeg4_avi
from served_demo import asked_addresses, open_page, plays, send_file, served_demo, text_of, wait_for
from stamped_video import timed_video
from untrained_run import MODEL, save_untrained

from stvit_video.inference.recognizer import load_recognizer
from stvit_video.models import create_model
from stvit_video.webdemo.demo_page import IDLE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sliding(elastic_run, tmp_path_factory):
    """A checkpoint whose tokens are generated after 1 or 3 blocks in training."""
    options = {**OPTIONS, "generate_at": 3, "elastic_generate_at": [1, 3]}
    path = tmp_path_factory.mktemp("sliding") / "best.ckpt"
    torch.manual_seed(3)
    save_untrained(
        path,
        create_model(MODEL, **options),
        options=options,
        classes=CLASSES,
        preprocessing=SIZES,
        manifest=elastic_run.manifest,
    )
    return path


@pytest.fixture(scope="module")
def demo(sliding, tiny_run, tmp_path_factory):
    words = [f"ckpt_path={sliding}", f"another={tiny_run.checkpoint}", "max_megabytes=3"]
    with served_demo(*words, "max_seconds=60", folder=tmp_path_factory.mktemp("demo")) as served:
        yield served


@pytest.fixture(scope="module")
def browser():
    with chromium(width=1280, height=1600) as driver:
        yield driver


@pytest.fixture
def page(demo, browser):
    open_page(browser, demo.address)
    return browser


def labelled(page, number: int = 0) -> str:
    """The answer of a model, once there is one."""
    wait_for(lambda: "latency" in text_of(page, f"answer-{number}"), "the labels")
    return text_of(page, f"answer-{number}")


def likeliest(text: str) -> tuple[str, float]:
    label, share = text.splitlines()[:2]
    return label, float(share.removesuffix(" %")) / 100


def refused(page) -> str:
    """The sentence that the page says of a clip."""
    script = "return [...document.querySelectorAll('.error')].map((part) => part.innerText).join(' ')"
    return wait_for(lambda: page.execute_script(script), "a sentence")


def test_a_clip_is_labelled_as_predict_labels_it_by_both_checkpoints(page, sliding, tiny_run):
    video = tiny_run.videos[0]
    send_file(page, video)
    for number, checkpoint in enumerate((sliding, tiny_run.checkpoint)):
        expected = load_recognizer(checkpoint, device="cpu")(video)
        label, share = likeliest(labelled(page, number))
        assert label == expected.label
        assert share == pytest.approx(expected.probabilities[0], abs=1e-3)
        wait_for(lambda number=number: plays(page, f"#shown-{number} video"), "the tokens")
    assert plays(page, ".sent-video")
    is_paused = "return document.querySelector('#shown-0 video').paused"
    for wanted in (False, True, False):
        if page.execute_script(is_paused) != wanted:
            page.execute_script("document.querySelector('#shown-0 .buttons button').click()")
        assert page.execute_script(is_paused) == wanted
    assert not page.find_elements("css selector", "#shown-0 video[controls]")  # they would cover the legend
    assert "always answers with one of them" in page.find_element("css selector", "#model-0 details").text
    assert "videos" not in text_of(page, "answer-0")
    hint = page.find_element("css selector", "#shown-0 .sideways-hint")
    is_wider = "const part = document.querySelector('#shown-0 .sideways'); return part.scrollWidth > part.clientWidth"
    for pixels, wanted in ((1000, True), (1280, False)):
        page.set_window_size(pixels, 1600)
        assert page.execute_script(is_wider) == hint.is_displayed() == wanted


def test_a_slider_asks_again_without_the_clip_being_sent_again(page, demo, tiny_run):
    send_file(page, tiny_run.videos[1])
    before = labelled(page)
    assert "semantic tokens\n4 (trained for)" in before
    wait_for(lambda: plays(page, "#shown-0 video"), "the tokens")
    other = labelled(page, 1)
    asked_addresses(page)
    told = {4: before}
    for count in (2, 4, 2, 4, 2):  # two measurements may agree in what is shown of them, not all
        set_slider(page, "tokens-0", count)
        told |= {count: wait_for(lambda count=count: answer_of(page, count), f"the labels of {count} tokens")}
        if milliseconds(told[2]) != milliseconds(told[4]):
            break
    assert gmacs(told[2]) < gmacs(told[4])
    assert milliseconds(told[2]) != milliseconds(told[4])
    set_slider(page, "tokens-0", 2)
    assert not [address for address in asked_addresses(page) if address.endswith("/clips")]
    set_slider(page, "place-0", 2)
    wait_for(lambda: "not trained for this, but for 1, 3" in text_of(page, "answer-0"), "the word of warning")
    assert text_of(page, "answer-1") == other


def test_a_checkpoint_without_a_choice_of_tokens_has_no_slider(page):
    assert not page.find_elements("css selector", "#tokens-1 input")
    assert "trained for 4 tokens alone" in text_of(page, "model-1")


def test_an_example_and_the_camera_and_a_clip_that_browsers_do_not_play(page, tmp_path):
    mpeg4_avi(tmp_path / "old.avi")
    for button in page.find_elements("css selector", ".examples button")[:3]:
        button.click()
    labelled(page)
    assert plays(page, ".sent-video")
    for button in page.find_elements("css selector", ".examples button")[:3]:
        button.click()
    send_file(page, tmp_path / "old.avi")  # the copy comes while the models are busy with the examples
    labelled(page)
    wait_for(lambda: plays(page, "#copy video"), "the copy")
    assert not page.find_element("css selector", ".sent-video").is_displayed()
    page.execute_script("document.querySelector('.camera').click()")
    wait_for(lambda: "Recording" in text_of(page, "drop-zone"), "the camera")
    wait_for(lambda: "Recording" not in text_of(page, "drop-zone"), "its end")
    labelled(page)
    assert not page.find_element("css selector", "#copy").is_displayed()


def test_a_recording_does_not_take_the_place_of_a_clip_chosen_meanwhile(page):
    page.execute_script("document.querySelector('.camera').click()")
    wait_for(lambda: "Recording" in text_of(page, "drop-zone"), "the camera")
    page.find_elements("css selector", ".examples button")[3].click()
    wait_for(lambda: page.find_element("css selector", ".camera").is_enabled(), "the end of the recording")
    assert page.find_element("css selector", ".sent-name").text == "example: rotate"
    labelled(page)


def test_a_file_that_is_dropped_beside_its_place_does_not_open(page):
    script = "const drop = new Event(arguments[0], { bubbles: true, cancelable: true });"
    script += "document.body.dispatchEvent(drop); return drop.defaultPrevented"
    assert [page.execute_script(script, kind) for kind in ("dragover", "drop", "paste")] == [True, True, False]


def test_back_in_the_browser_gives_a_page_that_works(page, demo, tiny_run):
    send_file(page, tiny_run.videos[0])
    labelled(page)
    page.get("about:blank")
    page.back()
    wait_for(lambda: page.find_elements("css selector", ".examples button"), "the page")
    wait_for(lambda: "Drop a video" in text_of(page, "answer-0"), "a page without the answers of before")
    assert "latency" not in page.find_element("css selector", "body").text
    send_file(page, tiny_run.videos[1])
    labelled(page)
    page.execute_script("window.isOld = true")  # whether this browser has kept the page is up to it
    page.execute_script("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    wait_for(lambda: page.execute_script("return !window.isOld"), "the page to be loaded anew")
    wait_for(lambda: page.find_elements("css selector", ".examples button"), "the page")
    assert text_of(page, "answer-0") in ("", IDLE)


def test_no_answer_of_the_clip_before_stands_beside_a_new_one(page, tiny_run, tmp_path):
    send_file(page, tiny_run.videos[0])
    labelled(page)
    wait_for(lambda: plays(page, "#shown-0 video"), "the tokens")
    (tmp_path / "empty.mp4").touch()
    send_file(page, tmp_path / "empty.mp4")
    assert "empty (0 bytes)" in refused(page)
    assert_nothing_is_answered(page)
    send_file(page, tiny_run.videos[0])
    labelled(page)
    page.set_network_conditions(offline=True, latency=0, throughput=10**6)
    try:
        send_file(page, tiny_run.videos[1])
        assert_nothing_is_answered(page)
        assert "can't be reached; is it still running?" in refused(page)
        page.find_elements("css selector", ".examples button")[0].click()
        assert_nothing_is_answered(page)
        assert "can't be reached" in refused(page)
    finally:
        page.set_network_conditions(offline=False, latency=0, throughput=10**6)


def test_a_clip_that_is_chosen_while_another_is_looked_at(page, sliding, tiny_run):
    send_file(page, tiny_run.videos[0])
    wait_for(lambda: "Labelling" in text_of(page, "model-0") or "latency" in text_of(page, "answer-0"), "the first")
    send_file(page, tiny_run.videos[1])
    assert_nothing_is_answered(page)
    expected = load_recognizer(sliding, device="cpu")(tiny_run.videos[1])
    assert likeliest(labelled(page)) == (expected.label, pytest.approx(expected.probabilities[0], abs=1e-3))
    wait_for(lambda: plays(page, "#shown-0 video"), "the tokens")
    assert text_of(page, "clip-problem") == ""


def test_a_full_queue_is_told_at_the_clip_until_there_is_room(page, demo):
    values = cycle((2, 4))
    with crowd(demo):
        wait_for(lambda: is_refused(page), "a full queue")
        assert "Error" not in text_of(page, "model-0")
    wait_for(lambda: not is_refused(page), "room")
    with crowd(demo):
        wait_for(lambda: set_slider(page, "tokens-0", next(values)) or is_busy(page), "a full queue")
        assert "latency" in text_of(page, "answer-0")  # of the place where the slider was
    wait_for(lambda: set_slider(page, "tokens-0", next(values)) or not is_busy(page), "room")


def is_busy(page) -> bool:
    return "takes no more requests now; try again in a minute" in text_of(page, "drop-zone")


def is_refused(page) -> bool:
    """Whether an example that is chosen now gets no labels."""
    page.find_elements("css selector", ".examples button")[1].click()
    wait_for(lambda: is_busy(page) or "latency" in text_of(page, "answer-0"), "an answer")
    return is_busy(page)


@contextmanager
def crowd(demo):
    """Visitors enough to fill the queue, all of whose clips are gone."""
    is_over = threading.Event()

    def visit(number: int) -> None:
        while not is_over.is_set():
            demo.ask_for_labels("gone", f"crowd{number}")

    with ThreadPoolExecutor(4) as pool:
        visits = [pool.submit(visit, number) for number in range(4)]
        try:
            yield
        finally:
            is_over.set()
    assert [visit.exception() for visit in visits] == [None] * 4


def assert_nothing_is_answered(page) -> None:
    """Nothing is said of labels or tokens, whoever is asked."""
    assert not page.execute_script(
        "return [...document.querySelectorAll('[data-clip]')].some((part) => part.checkVisibility())"
    )


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("text.mp4", b"once upon a time\n" * 40, "can't be read as a video"),
        ("empty.mp4", b"", r"empty \(0 bytes\)"),
        ("large.mp4", None, "200 MB and this page takes up to 3 MB"),
        ("long.mp4", "10800", "lasts 3 h 0 min and this page takes up to 1 min 0 s"),
        ("<img src=x onerror=alert(1)>.mp4", b"\x00" * 300, "can't be read"),
    ],
)
def test_what_is_no_clip_is_told_in_words(page, demo, tmp_path, name, content, sentence):
    path = tmp_path / name
    if content is None:
        with path.open("wb") as file:
            file.truncate(200 * 10**6)
    elif isinstance(content, str):
        timed_video(path, range(0, 1000 * int(content), 10_000), rate=1)
    else:
        path.write_bytes(content)
    send_file(page, path)
    said = refused(page)
    assert re.search(sentence, said), said
    assert len(page.find_elements("css selector", ".error:not(:empty)")) == 1
    for word in ("Traceback", str(demo.folder), "stvit_demo_", "time_limit_seconds"):
        assert word not in page.find_element("css selector", "body").text
    assert demo.process.poll() is None


def test_nothing_is_asked_of_another_machine_and_a_closed_page_leaves_no_file(demo, tiny_run):
    before = demo.clips()
    with chromium() as browser:
        open_page(browser, demo.address)
        send_file(browser, tiny_run.videos[2])
        labelled(browser)
        assert len(demo.clips()) == len(before) + 1
        addresses = asked_addresses(browser)
        outside = [one for one in addresses if not one.startswith((demo.address + "/", "data:", "blob:"))]
        assert outside == []
        assert f"{demo.address}/clips" in addresses
        blocked = [entry["message"] for entry in browser.get_log("browser") if "Content Security" in entry["message"]]
        assert blocked == []
    wait_for(lambda: demo.clips() == before, "the clip to go")


def set_slider(page, name: str, value: int) -> None:
    script = (
        "const slider = document.querySelector('#' + arguments[0] + ' input[type=range]'); slider.value = arguments[1];"
        "slider.dispatchEvent(new Event('input', {bubbles: true}));"
        "slider.dispatchEvent(new Event('change', {bubbles: true}));"
        "slider.dispatchEvent(new PointerEvent('pointerup', {bubbles: true}));"
    )
    page.execute_script(script, name, value)


def answer_of(page, count: int) -> str:
    """The answer of the first model with that many tokens, "" = not yet."""
    text = text_of(page, "answer-0")
    return text if f"tokens\n{count} (trained" in text else ""


def milliseconds(text: str) -> str:
    return re.search(r"([\d.]+) ms a clip", text).group(1)


def gmacs(text: str) -> float:
    return float(re.search(r"([\d.e-]+) GMACs a clip", text).group(1))

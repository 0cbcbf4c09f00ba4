"""The page of tokens in a browser: what a click on a token draws, and that nobody is asked for anything."""

import json

import numpy as np
import pytest
from chromium import chromium
from made_tokens import GRID_PIXELS, made_clip, made_video

from stvit_video.token_maps.tokens_page import write_tokens_page
from stvit_video.visualization.token_colours import TOKEN_COLOURS

pytestmark = pytest.mark.browser
COLOUR_AT = """
    const canvas = document.getElementById(arguments[0]);
    const [x, y] = [arguments[1] * canvas.width, arguments[2] * canvas.height];
    return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data.slice(0, 3)];
"""


@pytest.fixture(scope="module")
def video():
    """A clip of 6 frames of 32 x 48 pixels, whose token 1 covers the disc."""
    return made_video(made_clip(num_tokens=5))


@pytest.fixture(scope="module")
def browser(video, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    with chromium() as driver:
        write_tokens_page(path, video, pictures={}, made_with={"Command": "<b>x</b>"})
        driver.get(path.as_uri())
        driver.find_element("id", "play").click()  # pauses
        yield driver


def show(browser, frame):
    script = "const s = document.getElementById('slider'); s.value = arguments[0]; s.dispatchEvent(new Event('input'));"
    browser.execute_script(script, frame)


def middle_of(video, frame, token):
    """x and y of the middle of a cell that belongs to a token, in parts of the frame; None = there is none."""
    clip = video.clips[0]
    owners = clip.shares[:, clip.frame_step(frame)].argmax(axis=0)
    places = np.argwhere(owners == token)
    if not len(places):
        return None
    top, left, _, _ = clip.seen
    height, width = clip.frames.shape[1:3]
    row, column = places[0] * GRID_PIXELS + GRID_PIXELS / 2
    return (left + column) / width, (top + row) / height


def distance(browser, place, rank):
    found = np.array(browser.execute_script(COLOUR_AT, "overlay", *place), dtype=int)
    return np.abs(found - TOKEN_COLOURS[rank]).max()


def test_the_overlay_has_the_colours_of_the_tokens(browser, video):
    for frame in (0, 3, 5):
        show(browser, frame)
        for rank, token in enumerate(video.named):
            if place := middle_of(video, frame, token):
                assert distance(browser, place, rank) < 70  # a quarter of it is the grey frame


def test_a_click_shows_a_token_alone_and_a_second_all(browser, video):
    show(browser, 0)
    token = video.named[0]
    own, other = middle_of(video, 0, token), middle_of(video, 0, video.named[1])
    button = browser.find_element("css selector", f"#tubes-legend [data-token='{token}']")
    button.click()
    assert distance(browser, own, 0) < 70
    red, green, blue = browser.execute_script(COLOUR_AT, "overlay", *other)
    assert max(red, green, blue) - min(red, green, blue) <= 3  # grey, as nothing is drawn there
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert distance(browser, other, 1) < 70
    assert button.get_attribute("aria-pressed") == "false"


def test_contribution_and_nothing(browser, video):
    show(browser, 0)
    place = middle_of(video, 0, 1)  # the token with the largest contribution, for the label
    browser.find_element("css selector", "[name=view][value=contributions]").click()
    red, _, blue = browser.execute_script(COLOUR_AT, "overlay", *place)
    assert red > blue + 100  # FOR_COLOUR
    assert browser.find_element("id", "signs-legend").is_displayed()
    assert not browser.find_element("id", "tubes-legend").is_displayed()
    browser.find_element("css selector", "[name=view][value=none]").click()
    assert browser.execute_script(COLOUR_AT, "overlay", *place) == browser.execute_script(COLOUR_AT, "frame", *place)
    browser.find_element("css selector", "[name=view][value=tubes]").click()


def test_keys_and_the_clock(browser):
    show(browser, 0)
    player = browser.find_element("id", "player")
    player.send_keys("\ue014")  # arrow to the right
    assert browser.find_element("id", "clock").text == "0.13 s"
    player.send_keys("\ue012")
    player.send_keys("\ue012")
    assert browser.find_element("id", "clock").text == "0.63 s"  # the last frame


def test_keys_go_to_the_player_behind_a_click_of_the_mouse(browser):
    show(browser, 0)
    for place in (
        "[name=view][value=occlusions]",
        "#play",
        "#play",
        "[name=view][value=tubes]",
        "#tubes-legend button",
    ):
        browser.find_element("css selector", place).click()
        before = browser.find_element("id", "clock").text
        browser.switch_to.active_element.send_keys("\ue014")
        assert browser.find_element("id", "clock").text != before, place
        assert browser.find_element("id", "play").text == "Play"  # an arrow stops it
        browser.switch_to.active_element.send_keys(" ")
        assert browser.find_element("id", "play").text == "Pause", place
        browser.switch_to.active_element.send_keys(" ")


def test_a_token_is_released_by_another_map(browser):
    button = browser.find_element("css selector", "#tubes-legend button")
    if button.get_attribute("aria-pressed") == "false":
        button.click()
    browser.find_element("css selector", "[name=view][value=occlusions]").click()
    browser.find_element("css selector", "[name=view][value=tubes]").click()
    assert button.get_attribute("aria-pressed") == "false"
    assert "each cell has the colour" in browser.find_element("id", "told").text


def test_a_table_is_sorted_by_a_click(browser, video):
    head = browser.find_element("xpath", "//th[text()='occlusion']")
    values = []
    for _ in range(2):
        head.click()
        cells = browser.find_elements("css selector", "table[aria-label=tokens] tbody td:last-child")
        values.append([float(cell.text) for cell in cells])
    assert values[0] == sorted(values[0])
    assert values[1] == sorted(values[0], reverse=True)


def test_nothing_is_asked_for_and_nothing_is_wrong(browser):
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert len(asked) > 1
    assert [url[:60] for url in asked if not url.startswith(("file://", "data:"))] == []
    assert len([url for url in asked if url.startswith("file://")]) == 1  # the page itself
    told = [entry for entry in browser.get_log("browser") if entry["source"] != "rendering"]  # that is of COLOUR_AT
    assert told == []
    browser.execute_script("new Image().src = 'http://127.0.0.1:9/a.png'")  # as a script of a hostile name would
    told = [entry["message"] for entry in browser.get_log("browser") if entry["source"] == "security"]
    assert len(told) == 1
    assert "Content Security Policy" in told[0]


def test_a_narrow_window_needs_no_scrolling_sideways(browser):
    browser.set_window_size(500, 900)
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.execute_script(wide) == 0

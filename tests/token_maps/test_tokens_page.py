import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from made_tokens import made_clip, made_video, three_clips
from page_checks import page_faults

from stvit_video.token_maps.tokens_page import PAGE_BYTES, tokens_page, write_tokens_page
from stvit_video.visualization.token_colours import OTHER_COLOUR, TOKEN_COLOURS, hex_colour

HOSTILE = '</script><img src=x onerror=alert(1)>" \u202e' + "a" * 300


def values_of(page):
    return json.loads(re.search(r'id="values">(.*?)</script>', page, re.DOTALL)[1])


@pytest.fixture(scope="module")
def video():
    return three_clips(num_tokens=16, softness=0.3)


@pytest.fixture(scope="module")
def page(video):
    return tokens_page(video, pictures={"sheet": b"1", "timeline": b"2"}, made_with={"Command": "visualize a"})


def test_the_page_needs_nothing_else(page):
    assert page_faults(page) == []
    assert len(re.findall("<img ", page)) == 2
    assert "visualize a" in page
    assert len(values_of(page)["clips"]) == 3


def test_all_tokens_stand_in_the_table_with_means_over_the_clips(page, video):
    body = re.search(r'aria-label="tokens">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)[1]
    rows = [
        [html.unescape(re.sub("<.*?>", "", cell)).strip() for cell in re.findall(r"<td.*?>(.*?)</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]
    assert sorted(int(row[0]) for row in rows) == list(range(16))
    assert [int(row[0]) for row in rows[:8]] == list(video.named)
    sizes = [float(row[5]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    for token, time, line, column, area, size, contribution, occlusion in rows:
        number = int(token)
        assert (time, line, column) == ("1", "1", str(number + 1))
        assert float(area.split()[0]) == pytest.approx(
            100 * np.mean([clip.shares[number].mean() for clip in video.clips]), abs=0.051
        )
        mean = sum(abs(clip.contributions[number]) for clip in video.clips) / 3
        assert float(size) == pytest.approx(mean, rel=0.0051)
        for text, key in ((contribution, "contributions"), (occlusion, "occlusions")):
            mean = sum(getattr(clip, key)[number] for clip in video.clips) / 3
            assert float(text) == pytest.approx(mean, rel=0.0051)


def test_named_tokens_have_their_colour_and_the_others_one(page):
    assert all(page.count(f"background: {hex_colour(colour)}") == 2 for colour in TOKEN_COLOURS)  # legend and table
    assert page.count(f"background: {hex_colour(OTHER_COLOUR)}") == 1
    few = tokens_page(made_video(made_clip(num_tokens=3)), pictures={}, made_with={})
    assert f"background: {hex_colour(OTHER_COLOUR)}" not in few


def test_a_dense_model_has_maps_and_no_tubes():
    dense = tokens_page(made_video(made_clip(num_tokens=9), is_semantic=False), pictures={}, made_with={})
    assert 'value="tubes"' not in dense
    assert '<button type="button" class="token"' not in dense
    assert 'value="occlusions"' in dense


def test_a_picture_has_no_clips_and_stills_are_slow():
    clips = [made_clip(num_tokens=5, num_frames=1, grid=(1, 4, 4), start_seconds=seconds) for seconds in (0, 30)]
    picture = tokens_page(made_video(clips[0], is_picture=True), pictures={}, made_with={})
    assert "frames a second" not in picture
    assert "<dt>Picture</dt>" in picture
    stills = tokens_page(made_video(*clips), pictures={}, made_with={})
    assert "2, each of 1 frame, 8 frames a second" in stills
    assert values_of(stills)["fps"] == 2
    assert values_of(tokens_page(made_video(made_clip(num_tokens=5)), pictures={}, made_with={}))["fps"] == 8


def test_what_misleads_stands_first():
    clip = made_clip(num_tokens=5, softness=1.0)
    doubtful = made_video(replace(clip, occlusions=-clip.contributions))
    told = tokens_page(doubtful, pictures={}, made_with={})
    assert told.index("entropy 1.00 of 1") < told.index("correlation -1.00") < told.index('id="player"')


def test_the_label_that_is_asked_about_has_a_bar_even_if_it_is_unlikely():
    clip = made_clip(num_tokens=5)
    likely = replace(
        made_video(clip),
        classes=[f"class {n}" for n in range(7)],
        label=6,
        probabilities=np.array([0.3, *[0.14] * 5, 0]),
    )
    told = tokens_page(likely, pictures={}, made_with={})
    names = re.findall(r'<div class="name( marked)?".*?>(.*?)</div>', told)
    assert [name for _, name in names] == [*(f"class {n}" for n in range(5)), "class 6"]
    assert [name for mark, name in names if mark] == ["class 6"]


def test_hostile_names_are_text(video):
    named = replace(video, name=HOSTILE, classes=[HOSTILE] * 4, notes=[HOSTILE], model_name=HOSTILE)
    told = tokens_page(named, pictures={}, made_with={HOSTILE: HOSTILE})
    assert page_faults(told) == []
    assert "<img " not in told


def test_a_page_of_much_stays_small(tmp_path):
    rng = np.random.default_rng(0)
    clip = made_clip(num_tokens=5, num_frames=12, margin=(100, 160))
    noise = replace(clip, frames=rng.integers(0, 256, clip.frames.shape, dtype=np.uint8))
    write_tokens_page(tmp_path / "a.html", made_video(*[noise] * 4), pictures={"sheet": bytes(3_400_000)}, made_with={})
    size = (tmp_path / "a.html").stat().st_size
    assert size < 1.05 * PAGE_BYTES
    assert "to keep the page small" in (tmp_path / "a.html").read_text()


def test_the_label_that_is_shown_and_the_views_are_told(video):
    likely, other = int(video.probabilities.argmax()), int(video.probabilities.argmin())
    asked = tokens_page(replace(video, label=other, num_views=9), pictures={}, made_with={})
    assert f"predicted {video.classes[likely]} 0." in asked
    assert f"; shown for {video.classes[other]} 0." in asked
    assert "Clips shown: 3. The probability is the mean over 9 views." in asked
    assert "the model sees what is inside the line" in asked
    whole = made_clip(num_tokens=2, margin=(0, 0))
    told = tokens_page(made_video(whole), pictures={}, made_with={})
    assert "the model sees all of it" in told
    assert "Clips shown: 1. The probability is of one view." in told

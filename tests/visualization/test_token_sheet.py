"""sheet.png: which frames, which columns, and that each place shows what belongs there."""

from dataclasses import replace

import numpy as np
import pytest
from made_tokens import made_clip, made_video, three_clips
from PIL import Image

from stvit_video.visualization import token_sheet as module
from stvit_video.visualization.token_colours import OTHER_COLOUR, colour_of
from stvit_video.visualization.token_sheet import (
    GAP_PIXELS,
    LINE_PIXELS,
    SMALL_PANEL,
    save_token_sheet,
    sheet_frames,
    token_sheet,
)
from stvit_video.visualization.tube_frame import seen_frame, share_frame


def test_frames_are_spread_over_all_clips():
    video = three_clips(num_tokens=3)  # 18 frames: of each eighth the middle
    places = [(list(video.clips).index(clip), frame) for clip, frame in sheet_frames(video)]
    assert places == [divmod(int((place + 0.5) * 18 / 8), 6) for place in range(8)]
    short = made_video(made_clip(num_tokens=3, num_frames=3))
    assert [frame for _, frame in sheet_frames(short)] == [0, 1, 2]


def test_each_row_has_the_frame_and_the_share_of_every_token(tmp_path):
    video = three_clips(num_tokens=16, softness=0.5)
    save_token_sheet(video, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    size = round(SMALL_PANEL * 32 / 48), SMALL_PANEL
    assert sheet.shape[1] == GAP_PIXELS + 10 * (SMALL_PANEL + GAP_PIXELS)
    step = LINE_PIXELS + size[0] + GAP_PIXELS
    for row, (clip, frame) in enumerate(sheet_frames(video)):
        top = len(sheet) - (8 - row) * step + LINE_PIXELS
        expected = [seen_frame(clip, frame, size=size)]
        expected += [share_frame(video, clip, frame, token, size=size) for token in (*video.named, None)]
        for column, panel in enumerate(expected):
            left = GAP_PIXELS + column * (SMALL_PANEL + GAP_PIXELS)
            np.testing.assert_array_equal(sheet[top : top + size[0], left : left + SMALL_PANEL], panel)


def test_headings_stand_on_the_colour_of_their_token():
    video = three_clips(num_tokens=16)
    sheet = token_sheet(video)
    colours = [colour_of(video, token) for token in video.named] + [OTHER_COLOUR]
    for column, colour in enumerate(colours, start=1):
        right = GAP_PIXELS + column * (SMALL_PANEL + GAP_PIXELS) + SMALL_PANEL
        assert (sheet[:, right - 1] == colour).all(axis=-1).sum() >= 3 * LINE_PIXELS


def test_few_tokens_have_no_column_of_others():
    sheet = token_sheet(three_clips(num_tokens=5))
    assert sheet.shape[1] == GAP_PIXELS + 6 * (SMALL_PANEL + GAP_PIXELS)


@pytest.mark.parametrize("shape", [(0, 0), (60, 0), (1, 90)])
def test_a_dense_model_has_both_maps_in_any_aspect(shape):
    clip = made_clip(num_tokens=9, margin=shape)
    clip = replace(clip, contributions=np.zeros(9))
    sheet = token_sheet(made_video(clip, is_semantic=False, classes=("a", "b" * 300, "手", "d")))
    assert sheet.dtype == np.uint8
    assert sheet.shape[0] > 6 * LINE_PIXELS


@pytest.mark.parametrize("is_semantic", [True, False])
def test_narrow_sheets_have_room_for_what_they_say(is_semantic, monkeypatch):
    clip = made_clip(num_tokens=3, margin=(60, 0))
    clip.occlusions[:] = clip.contributions[[1, 0, 2]]  # they disagree, which takes the longest sentence
    told, plain = [], module.draw_text
    monkeypatch.setattr(module, "draw_text", lambda canvas, text, **settings: told.append((text, settings)))
    token_sheet(made_video(clip, is_semantic=is_semantic))
    assert any("don't trust" in text for text, _ in told)
    for text, settings in told:
        room = settings["max_width_pixels"]
        wanted = plain(
            np.zeros((40, 4000, 3), dtype=np.uint8), text, **settings | {"left": 0, "max_width_pixels": 4000}
        )
        assert wanted <= room, text


def test_a_picture_has_one_row():
    still = made_video(made_clip(num_tokens=3, num_frames=1, grid=(1, 4, 4)), is_picture=True)
    assert len(token_sheet(still)) < len(token_sheet(three_clips(num_tokens=3))) / 2


def test_the_others_have_no_sum_of_occlusions(monkeypatch):
    written = []
    monkeypatch.setattr(module, "draw_text", lambda canvas, text, value="", **_: written.append((text, value)))
    video = three_clips(num_tokens=16, softness=0.5)
    token_sheet(replace(video, label=int(video.probabilities.argmax())))
    others = [token for token in range(16) if token not in video.named]
    for values in ("contributions", "occlusions"):
        most = max(abs(sum(float(getattr(clip, values)[token]) for clip in video.clips)) / 3 for token in others)
        assert ("each at most", f"±{most:.2g}") in written
    assert (module.ORDER, "") in written
    assert not any(text.startswith("predicted") for text, _ in written)
    written.clear()
    other = int(video.probabilities.argmin())
    token_sheet(replace(video, label=other))
    assert (f"shown for {video.classes[other]}", f"{video.probabilities[other]:.3f}") in written

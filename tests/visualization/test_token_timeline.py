"""timeline.png: areas, contributions and probabilities as numbers, and where clips are drawn."""

from dataclasses import replace

import numpy as np
import pytest
from made_tokens import FPS, NUM_FRAMES, made_clip, made_video, three_clips
from PIL import Image

from stvit_video.utils.optional import MissingLibraryError
from stvit_video.visualization import token_timeline as module
from stvit_video.visualization.token_colours import OTHER_COLOUR, colour_of
from stvit_video.visualization.token_timeline import area_shares, save_token_timeline, step_contributions

CLIP_SECONDS = NUM_FRAMES / FPS


@pytest.fixture
def figure_of(tmp_path, monkeypatch):
    """Draws the timeline of a video and gives the figure that was saved."""

    def draw(video):
        kept = []
        monkeypatch.setattr(module, "save_figure", lambda figure, file: kept.append(figure))
        save_token_timeline(video, tmp_path / "timeline.png")
        return kept[0]

    return draw


def bars(axes):
    """(left, bottom, width, height, colour) of all bars."""
    return [
        (
            *(round(float(v), 6) for v in (bar.get_x(), bar.get_y(), bar.get_width(), bar.get_height())),
            tuple(round(255 * level) for level in bar.get_facecolor()[:3]),
        )
        for bar in axes.patches
    ]


def test_areas_are_means_of_shares():
    clip = made_clip(num_tokens=4, softness=0.3)
    for token, step in np.ndindex(4, 3):
        slow = np.mean([clip.shares[token, step, row, column] for row, column in np.ndindex(4, 4)])
        assert area_shares(clip)[token, step] == pytest.approx(slow)


def test_the_steps_of_a_contribution_sum_to_it():
    clip = made_clip(num_tokens=4, softness=0.3)
    found = step_contributions(clip)
    np.testing.assert_allclose(found.sum(axis=1), clip.contributions, rtol=1e-5)
    for token, step in np.ndindex(4, 3):
        part = clip.sources[token, step].sum()
        assert found[token, step] == pytest.approx(clip.contributions[token] * part, rel=1e-5)


def test_bars_of_areas_fill_each_step_and_have_the_colours_of_tokens(figure_of):
    video = three_clips(num_tokens=16, softness=0.5)
    axes = figure_of(video).axes[0]
    found = bars(axes)
    for clip, left in zip(video.clips, (0.0, CLIP_SECONDS * 1.12, CLIP_SECONDS * 2.24), strict=True):
        for step in range(3):
            edge = round(left + step * CLIP_SECONDS / 3, 6)
            heights = {bar[4]: bar[3] for bar in found if abs(bar[0] - edge) < 1e-5 and bar[3] > 0}
            expected = {colour_of(video, token): area_shares(clip)[token, step] for token in video.named}
            others = [token for token in range(16) if token not in video.named]
            expected[OTHER_COLOUR] = area_shares(clip)[others, step].sum()
            assert heights == pytest.approx(expected, abs=1e-5)
            assert sum(heights.values()) == pytest.approx(1, abs=1e-4)


def test_contributions_for_stand_on_zero_and_those_against_hang_from_it(figure_of):
    video = three_clips(num_tokens=16, softness=0.5)
    found = [bar for bar in bars(figure_of(video).axes[1]) if abs(bar[0]) < 1e-6]  # the first step of the first clip
    values = step_contributions(video.clips[0])[:, 0]
    ends = [bottom + height for _, bottom, _, height, _ in found]
    assert max(ends) == pytest.approx(values[values > 0].sum(), abs=1e-4)
    assert min(ends) == pytest.approx(values[values < 0].sum(), abs=1e-4)
    for token in video.named:
        (height,) = (bar[3] for bar in found if bar[4] == colour_of(video, token))
        assert height == pytest.approx(values[token], abs=1e-5)


def test_no_bar_of_contributions_touches_the_border(figure_of):
    axes = figure_of(three_clips(num_tokens=3)).axes[1]
    ends = [bottom + height for _, bottom, _, height, _ in bars(axes)]
    assert axes.get_ylim()[0] < min(ends) < max(ends) < axes.get_ylim()[1]


def test_the_label_and_the_two_likeliest_others_have_a_line_in_each_clip(figure_of):
    video = three_clips(num_tokens=3)
    axes = figure_of(video).axes[2]
    order = sorted((number for number in range(4) if number != 1), key=lambda number: -video.probabilities[number])
    expected = [clip.probabilities[number] for number in (1, *order[:2]) for clip in video.clips]
    assert [line.get_ydata()[0] for line in axes.lines] == pytest.approx(expected)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [video.classes[n] for n in (1, *order[:2])]


@pytest.mark.parametrize(
    ("gap", "shown", "is_shortened"), [(0.0, 0.0, False), (0.08, 0.08, False), (5.0, 0.09, True), (-0.3, 0.09, True)]
)
def test_long_gaps_are_shortened_and_told(figure_of, gap, shown, is_shortened):
    start = CLIP_SECONDS + gap
    video = made_video(made_clip(num_tokens=2), made_clip(num_tokens=2, start_seconds=start))
    axes = figure_of(video).axes[2]
    lefts = [float(line.get_xdata()[0]) for line in axes.lines[:2]]
    assert lefts == pytest.approx([0.0, CLIP_SECONDS + shown])
    assert ("shortened" in axes.get_xlabel()) == is_shortened
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["0.00", f"{start:.2f}", f"{start + CLIP_SECONDS:.2f}"]


@pytest.mark.parametrize(
    ("frames", "seconds"), [([0] * NUM_FRAMES, 1 / FPS), ([0, 1, 2, 3, 0, 1], 3 / FPS * NUM_FRAMES / (NUM_FRAMES - 1))]
)
def test_a_clip_that_repeats_frames_or_begins_again_is_as_wide_as_its_time(figure_of, frames, seconds):
    clip = made_clip(num_tokens=2)
    axes = figure_of(made_video(replace(clip, seconds=clip.seconds[frames]))).axes[2]
    assert axes.get_xlim() == pytest.approx((0, seconds))


def test_clips_of_one_frame_stand_side_by_side_and_have_no_end(figure_of):
    clips = [made_clip(num_tokens=2, num_frames=1, start_seconds=seconds) for seconds in (0.0, 17.2, 34.2)]
    axes = figure_of(replace(made_video(*clips), fps=1 / 17.1)).axes[2]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.00", "17.20", "34.20"]
    assert "side by side" in axes.get_xlabel()
    assert "shortened" not in axes.get_xlabel()


def test_ticks_of_many_clips_are_thinned_out(figure_of):
    clips = [made_clip(num_tokens=2, start_seconds=3.0 * number) for number in range(30)]
    assert len(figure_of(made_video(*clips)).axes[2].get_xticks()) <= module.MOST_TICKS + 1


@pytest.mark.parametrize("num_tokens", [2, 40])
def test_a_picture_a_class_alone_and_names_of_any_script_are_drawn(tmp_path, num_tokens):
    clip = made_clip(num_tokens=num_tokens, num_frames=1, grid=(1, 4, 4))
    object.__setattr__(clip, "probabilities", np.ones(1))
    video = made_video(clip, is_picture=True, classes=("$手を$" * 40,), label=0)
    save_token_timeline(video, tmp_path / "timeline.png")
    pixels = np.asarray(Image.open(tmp_path / "timeline.png").convert("RGB"))
    first = np.abs(pixels - np.array(colour_of(video, video.named[0]))).max(axis=-1) <= 1
    assert first.sum() > 500
    assert [file.name for file in tmp_path.iterdir()] == ["timeline.png"]


def test_without_matplotlib_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingLibraryError, match="pip install matplotlib"):
        save_token_timeline(three_clips(num_tokens=3), tmp_path / "timeline.png")

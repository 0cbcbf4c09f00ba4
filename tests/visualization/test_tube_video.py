"""tubes.mp4: the frame beside its tubes, the legend, and what is said about both."""

from dataclasses import replace

import numpy as np
import pytest
from made_tokens import made_clip, made_video, three_clips
from PIL import Image

from stvit_video.data.decoding.video import open_video
from stvit_video.visualization import tube_video as module
from stvit_video.visualization.panel_video import GAP_PIXELS, LINE_PIXELS
from stvit_video.visualization.token_colours import OTHER_COLOUR, colour_of
from stvit_video.visualization.tube_frame import seen_frame, tube_frame
from stvit_video.visualization.tube_video import save_tubes, token_legend


def test_the_frame_stands_beside_its_tubes(tmp_path):
    clip = made_clip(num_tokens=5, num_frames=1, grid=(1, 4, 4))
    video = made_video(clip, is_picture=True)
    assert save_tubes(video, tmp_path / "tubes.png") == ()
    saved = np.asarray(Image.open(tmp_path / "tubes.png"))
    panels = seen_frame(clip, 0), tube_frame(video, clip, 0)
    top, (high, wide) = LINE_PIXELS + GAP_PIXELS // 2, panels[0].shape[:2]
    for left, panel in zip((GAP_PIXELS, 2 * GAP_PIXELS + wide), panels, strict=True):
        np.testing.assert_array_equal(saved[top : top + high, left : left + wide], panel)


@pytest.mark.parametrize("num_tokens", [2, 5, 40])
def test_every_number_of_tokens_makes_a_video_that_browsers_play(tmp_path, num_tokens):
    assert save_tubes(three_clips(num_tokens=num_tokens, softness=0.7), tmp_path / "tubes.mp4") == ()
    with open_video(tmp_path / "tubes.mp4") as video:
        assert video.num_frames > 18
    import av

    with av.open(str(tmp_path / "tubes.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")


def test_the_legend_has_the_named_tokens_with_their_contributions_and_the_others():
    video = three_clips(num_tokens=16)
    *named, others = token_legend(video)
    assert [entry.name for entry in named] == [str(token) for token in video.named]
    assert [entry.colour for entry in named] == [colour_of(video, token) for token in video.named]
    means = [np.mean([clip.contributions[token] for clip in video.clips]) for token in video.named]
    assert [float(entry.value) for entry in named] == pytest.approx(means, rel=5e-3)
    assert (others.name, others.colour) == ("8 others, paler", OTHER_COLOUR)
    assert len(token_legend(three_clips(num_tokens=5))) == 5


def test_softness_and_the_scale_of_opacity_are_told(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(module, "save_panel_video", lambda video, path, panels: said.extend(panels.lines) or ())
    video = three_clips(num_tokens=5, softness=0.4)
    save_tubes(video, tmp_path / "tubes.mp4")
    assert f"assignment {video.entropy:.2f} of even: soft" in said
    assert any(f"a share of {video.full_share:.2g} of" in line and "0.2" in line for line in said)


def test_the_order_of_several_clips_is_told(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(module, "save_panel_video", lambda video, path, panels: said.append(list(panels.lines)) or ())
    video = three_clips(num_tokens=5)
    likely = int(video.probabilities.argmax())
    save_tubes(replace(video, label=likely), tmp_path / "tubes.mp4")
    assert said[-1][-1] == "mean of sizes over the clips; in the values for and against cancel:"
    assert not any("predicted" in line for line in said[-1])
    alone = made_video(made_clip(num_tokens=5))
    save_tubes(replace(alone, label=int(alone.probabilities.argmin())), tmp_path / "tubes.mp4")
    assert said[-1][-1] == "tokens by number, the largest contribution to the logit first:"
    assert said[-1][0].startswith(f"predicted {alone.classes[int(alone.probabilities.argmax())]} 0.")

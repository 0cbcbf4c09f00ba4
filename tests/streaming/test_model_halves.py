import pytest
import torch
from short_models import preprocessing_of, short_model

from stvit_video.streaming.model_halves import decide_steps, encode_steps, frames_per_step


@pytest.mark.parametrize(
    ("name", "step"), [("stvit_video_deit_tiny", 2), ("stvit_r_video_deit_tiny", 2), ("stvit_video_casvit_xs", 1)]
)
def test_a_step_is_known_by_its_own_frames_and_both_halves_make_the_model(name, step):
    model, size = short_model(name), preprocessing_of(name).crop_size
    assert frames_per_step(model) == step
    clips = torch.randn(2, 3, 4, size, size, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        alone = [encode_steps(model, part) for part in clips.split(step, dim=2)]
        tokens = encode_steps(model, clips)
        assert [part.shape for part in alone] == [(2, 1, *tokens.shape[2:])] * (4 // step)
        torch.testing.assert_close(torch.cat(alone, dim=1), tokens, atol=1e-5, rtol=1e-5)
        logits = decide_steps(model, tokens)
        torch.testing.assert_close(logits, model(clips), atol=1e-5, rtol=1e-5)
        assert logits.dtype == torch.float32

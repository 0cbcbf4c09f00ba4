import pytest
import torch

from stvit_video.tokens.key_frames import KeyFrames, clip_tokens


def key_places(key_every, batches):
    """Sequence and place of every frame that generates tokens, over batches of (sequence, place)."""
    keys, found = KeyFrames(key_every), []
    for batch in batches:
        shared = keys.shared(*zip(*batch, strict=True))
        rows = range(len(batch)) if shared is None else shared.rows
        found += [batch[row] for row in rows]
        if shared is not None:
            shared.recovered_from(torch.zeros(len(shared.rows), 1) if shared.rows else None)
    return found


def frames(name, num_frames):
    return [(name, place) for place in range(num_frames)]


@pytest.mark.parametrize("key_every", [1, 2, 3, 8])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 16])
def test_every_nth_frame_of_a_sequence_is_one_however_frames_are_batched(key_every, batch_size):
    listed = frames("a", 7) + frames("b", 2) + frames("c", 5)
    batches = [listed[start : start + batch_size] for start in range(0, len(listed), batch_size)]
    assert key_places(key_every, batches) == [frame for frame in listed if frame[1] % key_every == 0]


def test_the_first_frame_behind_a_missing_key_frame_takes_its_place():
    listed = [("a", place) for place in (1, 2, 3, 4, 7, 9)]
    assert key_places(4, [listed[:2], listed[2:]]) == [("a", 1), ("a", 4), ("a", 9)]


def test_frames_of_one_video_are_counted():
    keys, found = KeyFrames(3), []
    for count in (2, 3, 1, 4):
        shared = keys.shared_by_next(count)
        found.append(shared.rows)
        shared.recovered_from(torch.zeros(len(shared.rows), 1) if shared.rows else None)
    assert found == [[0], [1], [], [0, 3]]  # frames 0, 3, 6 and 9
    assert KeyFrames(1).shared_by_next(2) is None


def test_tokens_of_runs_that_have_ended_are_not_kept():
    keys = KeyFrames(2)
    for place in range(8):
        shared = keys.shared(["a"], [place])
        shared.recovered_from(torch.zeros(1, 1) if shared.rows else None)
        assert len(shared.kept) == 1


@pytest.mark.parametrize("value", [0, -1, 1.5, "2"])
def test_key_every_is_a_whole_number(value):
    with pytest.raises(ValueError, match="key_every"):
        KeyFrames(value)


def test_frames_of_a_clip_share_those_of_its_first():
    assert clip_tokens(6, clip_frames=3).rows == [0, 3]
    assert clip_tokens(5, clip_frames=1) is None
    with pytest.raises(ValueError, match=r"5 frames .* clip_frames=3"):
        clip_tokens(5, clip_frames=3)

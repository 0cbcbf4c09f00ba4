"""What pictures of tokens say in words: where in the video they are, how soft an assignment is, what can be trusted."""

from stvit_video.utils.counts import count_words
from stvit_video.visualization.token_record import LEAST_COMPARED, ClipTokens, TokenValues, VideoTokens

__all__ = [
    "agreement_words",
    "clip_words",
    "entropy_words",
    "full_words",
    "probability_words",
    "scale_words",
    "signed_words",
    "tokens_words",
    "why_none",
]

LOW_AGREEMENT = 0.5  # correlation below which contributions and occlusions tell different stories


def signed_words(value: float) -> str:
    """A value with its sign and three digits, such as "+0.412"; "0" where there is none."""
    return f"{value:+.3g}" if value else "0"


def clip_words(video: VideoTokens, clip: ClipTokens, frame: int) -> str:
    """Which clip a frame is of and when it is shown, such as "clip 2 of 3, 1.24 s"; "" for a picture.

    Args:
        video: its tokens.
        clip: of this video.
        frame: its number in the clip, 0 to T - 1.
    """
    if video.is_picture:
        return ""
    place = next(place for place, one in enumerate(video.clips) if one is clip)
    which = f"clip {place + 1} of {len(video.clips)}, " if len(video.clips) > 1 else ""
    return f"{which}{clip.seconds[frame]:.2f} s"


def probability_words(video: VideoTokens, clip: ClipTokens) -> tuple[str, str]:
    """The name of the label, and its probability in a clip in words, such as " 0.83 in this clip".

    Args:
        video: its tokens.
        clip: of this video.
    """
    where = "" if video.is_picture or len(video.clips) == 1 else " in this clip"
    return video.classes[video.label], f" {clip.probabilities[video.label]:.2f}{where}"


def entropy_words(entropy: float) -> str:
    """How soft the assignment is, such as "assignment 0.83 of even: soft".

    Args:
        entropy: of `ClipTokens` or `VideoTokens`, 0 to 1.
    """
    kind = "hard" if entropy < 0.3 else "soft" if entropy < 0.9 else "nearly even, so areas say little"
    return f"assignment {entropy:.2f} of even: {kind}"


def full_words(share: float, *, num_tokens: int) -> str:
    """What a full colour stands for.

    Args:
        share: of an image token that has it.
        num_tokens: K.
    """
    return f"full colour = a share of {share:.2g} of an image token; even shares would be {1 / num_tokens:.2g}"


def scale_words(video: VideoTokens, values: TokenValues) -> str:
    """What a full colour of a class map stands for, such as "±0.21 and beyond (largest 0.82)"; "all 0".

    Args:
        video: its tokens.
        values: of the map.
    """
    full, largest = f"{video.full_values[values]:.2g}", f"{video.largest_values[values]:.2g}"
    if not video.largest_values[values]:
        return "all 0"
    return f"±{full}" if full == largest else f"±{full} and beyond (largest {largest})"


def tokens_words(count: int) -> str:
    """A number of tokens, such as "16 tokens", "1 token"."""
    return count_words(count, "token")


def agreement_words(video: VideoTokens) -> str:
    """What the correlation of contributions and occlusions says about both, or why there is none."""
    agreement = video.agreement
    if agreement is None:
        return f"no correlation of contribution and occlusion: {why_none(video)}"
    correlation = f"correlation of contribution and occlusion {agreement:.2f}"
    if agreement < LOW_AGREEMENT:
        return f"{correlation}, below {LOW_AGREEMENT}: they disagree, so don't trust the contributions"
    return correlation


def why_none(video: VideoTokens) -> str:
    """Why contributions and occlusions have no correlation."""
    if video.num_tokens < LEAST_COMPARED:
        return f"a clip has {tokens_words(video.num_tokens)}, and {LEAST_COMPARED} are needed"
    zero = [values for values, largest in video.largest_values.items() if not largest]
    return f"all {' and '.join(zero)} are 0" if zero else "all values are alike"

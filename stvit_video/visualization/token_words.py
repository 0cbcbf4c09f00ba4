"""Which tokens of a video are shown and for which label, in words, and why a picture of them may mislead."""

import numpy as np

from stvit_video.utils.counts import count_words
from stvit_video.visualization.token_captions import LOW_AGREEMENT, tokens_words, why_none
from stvit_video.visualization.token_record import VideoTokens

__all__ = ["asked_lines", "doubts", "home_share", "label_parts", "label_words", "place_words", "same_sides"]

EVEN = 0.9  # entropy from which on borders between tokens mean little
HOME = 0.8  # share of places at home from which on tubes are nearly a grid
SIDES = 2 / 3  # share of occlusion on the same side as contribution below which for and against say little


def label_words(video: VideoTokens) -> str:
    """The label that the tokens are asked about, with its probability, such as "dive, probability 0.913".

    Where it is not the likeliest, that one comes first: "predicted swim 0.913; shown for dive 0.085".
    """
    return "; ".join(f"{name} {value}" for name, value in label_parts(video))


def label_parts(video: VideoTokens) -> list[tuple[str, str]]:
    """The parts of `label_words`, one or two: a name, which may be long, and the probability behind it."""
    best, label = int(video.probabilities.argmax()), video.label
    names = {best: "predicted {}", label: "shown for {}"} if best != label else {label: "{}, probability"}
    return [(words.format(video.classes[one]), f"{video.probabilities[one]:.3f}") for one, words in names.items()]


def asked_lines(video: VideoTokens) -> list[str]:
    """The parts of `label_words`, a line each, where the label is not the likeliest; else none."""
    parts = label_parts(video)
    return [f"{name} {value}" for name, value in parts] if len(parts) > 1 else []


def place_words(video: VideoTokens) -> str:
    """Which tokens they are, such as "16 tokens generated after 2 of 6 blocks"."""
    if video.is_semantic:
        return f"{tokens_words(video.num_tokens)} {video.where}"
    return f"{count_words(video.num_tokens, 'cell')} of {video.where}"


def home_share(video: VideoTokens) -> float:
    """The share of places that belong most to the token whose cell of the token grid they lie in, 0 to 1.

    Generation begins with pooling over these cells. Tokens that stay at home show where they were pooled, whatever
    moves there.
    """
    found = []
    for clip in video.clips:
        grid = clip.sources.shape[1:]
        sizes = (1,) * (3 - len(video.token_grid)) + tuple(video.token_grid)
        cells = [np.arange(length) * size // length for length, size in zip(grid, sizes, strict=True)]
        home = np.ravel_multi_index(tuple(np.meshgrid(*cells, indexing="ij")), sizes)  # (T', H', W')
        found.append(float((clip.shares.argmax(axis=0) == home).mean()))
    return float(np.mean(found))


def same_sides(video: VideoTokens) -> float:
    """How much of the occlusions, by size, is on the side of the contribution of its token: for, or against; 0 to 1.

    `VideoTokens.agreement` does not tell: values that are all for the label may rise and fall with values that are all
    against it.
    """
    pairs = [(clip.contributions, clip.occlusions) for clip in video.clips]
    same = sum(float(np.abs(lost[(given > 0) == (lost > 0)]).sum()) for given, lost in pairs)
    total = sum(float(np.abs(lost).sum()) for _, lost in pairs)
    return same / total if total > 0 else 1.0


def doubts(video: VideoTokens) -> list[str]:
    """Why pictures of these tokens may mislead, a sentence or two each; none where nothing speaks against them."""
    return [*_of_tubes(video), *_of_maps(video)]


def _of_tubes(video: VideoTokens) -> list[str]:
    if not video.is_semantic:
        return []
    if video.num_tokens > 1 and video.entropy >= EVEN:
        return [
            f"Every token comes from nearly everywhere (entropy {video.entropy:.2f} of 1). Borders between tubes are "
            "small differences, and a tube is no object."
        ]
    if video.num_tokens > 1 and (at_home := home_share(video)) >= HOME:
        return [
            f"The tubes are nearly a grid: {100 * at_home:.0f} % of the places belong to the token that was pooled "
            "there. Their borders are not those of things."
        ]
    return []


def _of_maps(video: VideoTokens) -> list[str]:
    sentences = []
    if video.agreement is None:
        sentences.append(
            f"Contribution and occlusion can't be compared: {why_none(video)}. Nothing vouches for the maps."
        )
    elif video.agreement < LOW_AGREEMENT:
        sentences.append(
            f"Contribution and occlusion disagree (correlation {video.agreement:.2f}). Slopes of the logit don't "
            "tell what it loses without a token. Don't explain the label by either map alone."
        )
    elif (same := same_sides(video)) < SIDES:
        sentences.append(
            f"Contribution and occlusion rise and fall together, but {100 * (1 - same):.0f} % of the occlusions "
            "are on the other side. Read which tokens differ from others, not which are for or against the label."
        )
    best = int(video.probabilities.argmax())
    if best != video.label:
        sentences.append(
            f"Contribution and occlusion are of the label {video.classes[video.label]}, which is not the likeliest one "
            f"({video.classes[best]})."
        )
    return sentences

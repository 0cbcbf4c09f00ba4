"""The colours of tokens and of signed values: the same in every picture, told apart by the colour-blind as well."""

from stvit_video.visualization.class_colours import Colour
from stvit_video.visualization.token_record import VideoTokens

__all__ = ["AGAINST_COLOUR", "FOR_COLOUR", "OTHER_COLOUR", "TOKEN_COLOURS", "colour_of", "hex_colour", "rank_of"]

# found by a search over all of RGB, so that no two come near each other for whom red, green or blue cones are missing
TOKEN_COLOURS: tuple[Colour, ...] = (
    (255, 135, 60), (120, 90, 240), (45, 240, 135), (225, 0, 90), (255, 210, 15), (150, 180, 255), (120, 90, 0),
    (210, 0, 165),
)  # fmt: skip
OTHER_COLOUR: Colour = (150, 150, 150)  # of all tokens that have none of their own
FOR_COLOUR: Colour = (255, 145, 20)  # of what speaks for the label
AGAINST_COLOUR: Colour = (50, 120, 255)  # of what speaks against it


def rank_of(video: VideoTokens, token: int) -> int:
    """The place of a token in `video.named`, 0 = contributes most; len(video.named) = it is one of the others.

    Args:
        video: its tokens.
        token: its number, 0 to K - 1.
    """
    return video.named.index(token) if token in video.named else len(video.named)


def colour_of(video: VideoTokens, token: int) -> Colour:
    """The colour of a token: its rank among the named ones chooses it; OTHER_COLOUR where it has none.

    Args:
        video: its tokens.
        token: its number, 0 to K - 1.
    """
    return (*TOKEN_COLOURS[: len(video.named)], OTHER_COLOUR)[rank_of(video, token)]


def hex_colour(colour: Colour) -> str:
    """A colour as matplotlib and HTML read it, such as "#ff8c46"."""
    return "#{:02x}{:02x}{:02x}".format(*colour)

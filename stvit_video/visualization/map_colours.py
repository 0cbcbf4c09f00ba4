"""The colours of label maps: those of the classes, as a table that a whole map is looked up in."""

from functools import lru_cache

import numpy as np

from stvit_video.visualization.class_colours import class_colour

__all__ = ["NUM_LABELS", "map_colours"]

NUM_LABELS = 256  # that a byte can tell


@lru_cache(maxsize=1)
def map_colours() -> np.ndarray:
    """The colour of every label: (256, 3) uint8, red, green, blue; it is shared between calls and read-only."""
    colours = np.array([class_colour(label) for label in range(NUM_LABELS)], dtype=np.uint8)
    colours.setflags(write=False)
    return colours

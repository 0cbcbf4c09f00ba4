import numpy as np
import pytest

from stvit_video.visualization.class_colours import class_colour
from stvit_video.visualization.map_colours import map_colours


def test_every_label_has_the_colour_of_its_class():
    colours = map_colours()
    assert colours.shape == (256, 3)
    assert [tuple(colour) for colour in colours.tolist()] == [class_colour(label) for label in range(256)]
    assert len(np.unique(colours[:150], axis=0)) == 150


def test_it_can_not_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        map_colours()[0, 0] = 1

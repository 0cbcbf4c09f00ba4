import inspect

import pytest

from stvit_video.data.layouts.catalogue import LAYOUTS, PICTURE_LAYOUTS
from stvit_video.utils.docstrings import argument_help


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_finder_takes_plain_settings_with_defaults_and_help(name):
    parameters = dict(inspect.signature(LAYOUTS[name]).parameters)
    assert parameters.pop("part").kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert parameters.pop("known_classes").kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters
    for parameter in parameters.values():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is not inspect.Parameter.empty
    helps = argument_help(LAYOUTS[name])
    assert all(helps[key] for key in parameters)


def test_layouts_of_pictures_are_layouts():
    assert set(PICTURE_LAYOUTS) < set(LAYOUTS)

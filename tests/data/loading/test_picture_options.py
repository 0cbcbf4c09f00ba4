from stvit_video.data.loading.picture_options import PictureOptions, picture_options


def test_defaults_are_those_of_the_published_detectors():
    assert picture_options() == PictureOptions(long_side=1333, antialias=True, drop_empty=False, max_objects=1000)
    assert picture_options(max_objects=None).max_objects is None

from stvit_video.utils.given_values import given_values


def test_what_is_none_is_left_out():
    assert given_values(a=0, b=None, c="", d=False) == {"a": 0, "c": "", "d": False}
    assert given_values() == {}

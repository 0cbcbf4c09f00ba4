"""Each listed picture comes once, or is missing with its reason."""

import pytest

from stvit_video.evaluation.picture_results import PictureResults, describe_key_frames, describe_missing


def test_pictures_are_counted_in_the_order_of_the_list():
    results = PictureResults(["c", 7, "a"], classes=["x"])
    results._take("a")
    results.add_missing("c", "it is empty")
    assert (results.used, results.errors) == (["a"], {"c": "it is empty", 7: "was never evaluated"})
    results._take(7)
    assert (results.used, results.errors) == ([7, "a"], {"c": "it is empty"})
    assert (results.num_used, results.num_listed, results.classes) == (2, 3, ("x",))


def test_a_picture_that_came_before_or_is_not_listed():
    results = PictureResults(["a", "b"], classes=["x"])
    results._take("a")
    results.add_missing("b", "gone")
    for name in ("a", "b"):
        with pytest.raises(ValueError, match=f"picture '{name}' came twice"):
            results.add_missing(name, "gone")
    with pytest.raises(ValueError, match="picture 5 is none of the 2 pictures"):
        results.add_missing(5, "gone")
    with pytest.raises(ValueError, match="1 of 3 pictures stand twice"):
        PictureResults(["a", "b", "a"], classes=["x"])


def test_missing_pictures_are_told_with_reasons():
    errors = {name: f"{name} is empty" for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg")}
    text = describe_missing(errors, num_listed=72)
    assert text.startswith("5 of 72 pictures could not be evaluated")
    assert "  a.jpg: a.jpg is empty\n" in text
    assert text.endswith("and 2 more")
    assert "more" not in describe_missing({17: "gone"}, num_listed=2)
    assert describe_missing({}, num_listed=72) == ""


def test_key_frames_are_told_with_the_cost_of_a_frame():
    told = describe_key_frames(4, gmacs_backbone=103.48865)
    assert told == "a key frame every 4 frames, 103.5 GMACs of the backbone a frame"
    assert describe_key_frames(1, gmacs_backbone=122.35) == ""

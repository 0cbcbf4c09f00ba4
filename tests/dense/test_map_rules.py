from stvit_video.dense.map_rules import MAP_RULES


def test_places_of_the_rules_stay_as_they_are_for_state_dicts_keep_them():
    assert list(MAP_RULES) == ["ours", "mmseg"]


def test_only_mmseg_divides_losses_by_pixels_that_are_not_counted():
    assert not MAP_RULES["ours"].loss_of_all_pixels
    assert MAP_RULES["mmseg"].loss_of_all_pixels

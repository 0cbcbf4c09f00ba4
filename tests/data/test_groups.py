import pytest

from stvit_video.data.groups import Group, check_groups, ucf101_group
from stvit_video.data.manifest import ManifestError


@pytest.mark.parametrize(
    ("written", "group"),
    [
        ("Archery/v_Archery_g08_c01.avi", Group("Archery", "g08")),
        ("HandstandPushups/v_HandStandPushups_g25_c07.mp4", Group("HandstandPushups", "g25")),
        ("v_Archery_g08_c01.avi", None),
        ("Archery/v_Archery_g08.avi", None),
        ("Archery/v_Archery_gXX_c01.avi", None),
        ("UCF-101/Archery/x/v_Archery_g08_c01.avi", None),
    ],
)
def test_group_of_a_clip(written, group):
    assert ucf101_group(written) == group


def test_the_same_group_name_in_another_class_is_another_group():
    train, test = [Group("Archery", "g08"), Group("Archery", "g08")], [Group("Bowling", "g08")]
    check_groups(train, test, train_source="a.txt", test_source="b.txt")
    with pytest.raises(ManifestError, match=r"^1 group\(s\) of clips are in both a.txt and b.txt: Bowling g08; clips"):
        check_groups(train + test, test, train_source="a.txt", test_source="b.txt")


def test_many_shared_groups_are_counted_and_the_first_named():
    groups = [Group("Diving", f"g{number:02d}") for number in range(7, 0, -1)]
    with pytest.raises(ManifestError, match=r"^7 group\(s\) .*: Diving g01, .*, Diving g05, \.\.\.; clips of a group"):
        check_groups(groups, groups, train_source="a.txt", test_source="b.txt")

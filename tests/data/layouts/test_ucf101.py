import re
from pathlib import Path

import pytest

from stvit_video.data.layouts.ucf101 import Group, check_groups, read_ucf101_manifest, ucf101_group
from stvit_video.data.manifests.faults import ManifestError


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
    with pytest.raises(ManifestError, match=r"^1 group\(s\) .*a\.txt and b\.txt: Bowling g08;"):
        check_groups(train + test, test, train_source="a.txt", test_source="b.txt")


def test_many_shared_groups_are_counted_and_the_first_named():
    groups = [Group("Diving", f"g{number:02d}") for number in range(7, 0, -1)]
    with pytest.raises(ManifestError, match=r"^7 group\(s\) .*: Diving g01, .*, Diving g05, \.\.\.;"):
        check_groups(groups, groups, train_source="a.txt", test_source="b.txt")


TRAIN = ("Archery/v_Archery_g08_c01.avi 2", "Archery/v_Archery_g08_c02.avi 2", "Bowling/v_Bowling_g09_c01.avi 10")


# the published set has such a pair of spellings: HandstandPushups/v_HandStandPushups_g01_c01.avi
TEST = ("Archery/v_Archery_g01_c01.avi", "Bowling/v_bowLing_g08_c07.avi")


def make_tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def ucf101_tree(root: Path, *, train=TRAIN, test=TEST, classes="2 Archery\r\n10 Bowling\r\n", split=1) -> dict:
    make_tree(root / "UCF-101", *(row.split()[0] for row in (*TRAIN, *TEST)))
    lists = root / "ucfTrainTestlist"
    lists.mkdir(exist_ok=True)
    (lists / "classInd.txt").write_text(classes)
    (lists / f"trainlist0{split}.txt").write_text("\n".join(train) + "\n")
    (lists / f"testlist0{split}.txt").write_text("\r\n".join(test) + "\r\n\r\n")
    return {"list_dir": lists, "video_dir": root / "UCF-101"}


def test_ucf101_official_split(tmp_path):
    places = ucf101_tree(tmp_path, split=3)
    train = read_ucf101_manifest(**places, part="train", split=3)
    val = read_ucf101_manifest(**places, part="val", split=3)
    assert train.classes == val.classes == ("Archery", "Bowling")
    assert [record.video_id for record in train.records] == [row.split()[0] for row in TRAIN]
    assert [record.label for record in train.records] == [0, 0, 1]
    assert [(record.video_id, record.label) for record in val.records] == [(TEST[0], 0), (TEST[1], 1)]
    assert all(record.path.is_file() for record in (*train.records, *val.records))
    turned = read_ucf101_manifest(**places, part="val", split=3, classes=("Bowling", "Archery"))
    assert [record.label for record in turned.records] == [1, 0]  # the order of a model's logits


def test_ucf101_classes_keep_the_order_of_their_file(tmp_path):
    places = ucf101_tree(tmp_path, classes="10 Bowling\n2 Archery\n")
    assert read_ucf101_manifest(**places, part="train").classes == ("Bowling", "Archery")


@pytest.mark.parametrize("part", ["train", "val"])
def test_ucf101_group_in_both_lists_is_named(tmp_path, part):
    places = ucf101_tree(tmp_path, test=("Archery/v_Archery_g08_c05.avi", *TEST))
    with pytest.raises(ManifestError) as caught:
        read_ucf101_manifest(**places, part=part)
    # the whole sentence, once for its family
    assert str(caught.value) == (
        f"1 group(s) of clips are in both {places['list_dir'] / 'trainlist01.txt'} and testlist01.txt: Archery g08; "
        "clips of a group come from one video, so take the official lists, or move each group to one side"
    )


@pytest.mark.parametrize("part", ["train", "val"])
def test_ucf101_faulty_rows_are_named_whichever_part_is_read(tmp_path, part):
    rows = (*TRAIN, "Archery/a b.avi 2", "Archery/v_Archery_g11_c01.avi 10", "Archery/v_Archery_g11_c02.avi 7")
    places = ucf101_tree(tmp_path, train=rows)
    with pytest.raises(ManifestError) as caught:
        read_ucf101_manifest(**places, part=part)
    expected = [
        rf"^{re.escape(str(places['list_dir'] / 'trainlist01.txt'))} .*\b3 fault",
        "^  line 4: 'Archery/a b.avi 2' .*<Class>/v_<Class>_gXX_cYY.avi .*number",
        "^  line 5: Archery/v_Archery_g11_c01.avi .*number 10, .*Bowling in classInd.txt",
        "^  line 6: Archery/v_Archery_g11_c02.avi .*number 7, .*no class in classInd.txt",
    ]
    for line, words in zip(str(caught.value).splitlines(), expected, strict=True):
        assert re.search(words, line)


def test_ucf101_class_that_is_not_in_the_class_file(tmp_path):
    places = ucf101_tree(tmp_path, test=("", *TEST, "Diving/v_Diving_g01_c01.avi"))
    with pytest.raises(ManifestError, match="line 4: .*label 'Diving'; .*2 .*classes are Archery, Bowling"):
        read_ucf101_manifest(**places, part="val", missing="keep")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 Archery\nBowling\n", "line 2: 'Bowling' .*number and a class"),
        ("1 Archery\n1 Bowling\n", "line 2: '1 Bowling' repeats "),
        ("\n", r"it names no class\b"),
    ],
)
def test_ucf101_faulty_class_file(tmp_path, text, message):
    places = ucf101_tree(tmp_path, classes=text)
    with pytest.raises(ManifestError) as caught:
        read_ucf101_manifest(**places, part="val")
    assert re.search(
        rf"^{re.escape(str(places['list_dir'] / 'classInd.txt'))} .*1 fault\(s\):\n  {message}", str(caught.value)
    )


def test_ucf101_missing_videos(tmp_path, caplog):
    places = ucf101_tree(tmp_path)
    gone = places["video_dir"] / TRAIN[1].split()[0]
    gone.unlink()
    with pytest.raises(ManifestError, match=f"line 2: .*no video {re.escape(str(gone))};"):
        read_ucf101_manifest(**places, part="train")
    assert len(read_ucf101_manifest(**places, part="train", missing="keep").records) == 3
    assert not caplog.messages
    assert len(read_ucf101_manifest(**places, part="train", missing="drop").records) == 2
    [message] = caplog.messages
    assert re.search(rf"^{re.escape(str(places['list_dir'] / 'trainlist01.txt'))}: 1 videos .*\b2 stay$", message)


def test_ucf101_transcoded_videos_are_found(tmp_path):
    places = ucf101_tree(tmp_path)
    (places["video_dir"] / TEST[0]).rename(places["video_dir"] / "Archery" / "v_Archery_g01_c01.mp4")
    records = read_ucf101_manifest(**places, part="val").records
    assert [record.video_id for record in records] == ["Archery/v_Archery_g01_c01.mp4", TEST[1]]

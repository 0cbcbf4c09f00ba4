"""Trees of pictures against torchvision's ImageFolder: which there are, and what an evaluation makes of them."""

import dataclasses
import re
import shutil
import zipfile

import pytest
import torch
from picture_maker import CLASSES, pack, write_picture, write_tree
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from stvit_video.data.layouts.image_folder import read_image_manifest
from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.collate import collate_clips, collate_views
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.data.transforms.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform

SIZES = Preprocessing(num_frames=1, frame_stride=1, short_side=24, crop_size=20)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return write_tree(tmp_path_factory.mktemp("pictures"))


def ids(manifest):
    return [(record.video_id, record.label) for record in manifest.records]


def test_the_same_pictures_and_labels_as_torchvision_lists(tree):
    manifest = read_image_manifest(tree, part="train")
    theirs = ImageFolder(tree / "train")
    assert list(manifest.classes) == theirs.classes == list(CLASSES)
    assert [(str(record.path), record.label) for record in manifest.records] == theirs.samples
    assert all(record.is_picture for record in manifest.records)


def test_deeper_folders_other_files_and_links(tmp_path, caplog):
    write_picture(tmp_path / "elsewhere" / "1.png", seed=1)
    for name in ("b/2.PNG", "b/more/even more/1.jpg", "a/10.webp", "a/.hidden.jpg"):
        write_picture(tmp_path / "tree" / name, seed=2) if "hidden" not in name else None
    (tmp_path / "tree" / "a" / ".hidden.jpg").touch()
    (tmp_path / "tree" / "a" / "notes.txt").touch()
    (tmp_path / "tree" / "readme.png").touch()
    (tmp_path / "tree" / "c").symlink_to(tmp_path / "elsewhere")
    manifest = read_image_manifest(tmp_path / "tree")
    assert ids(manifest) == [("a/10.webp", 0), ("b/2.PNG", 1), ("b/more/even more/1.jpg", 1), ("c/1.png", 2)]
    [warning] = [record.getMessage() for record in caplog.records]
    assert re.search("tree: 3 files .*left out, .*: a/.hidden.jpg, a/notes.txt, readme.png$", warning)
    archive = pack(tmp_path / "tree", tmp_path / "x.zip")
    assert ids(read_image_manifest(archive)) == [pair for pair in ids(manifest) if pair[1] < 2]  # rglob follows no link


@pytest.mark.parametrize("below", ["", "top/"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_lists_what_the_folder_lists(tree, tmp_path, below, method):
    archive = pack(tree, tmp_path / "x.zip", method=method, below=below)
    for part in ("train", "val"):
        folder, packed = read_image_manifest(tree, part=part), read_image_manifest(archive, part=part)
        assert ids(packed) == ids(folder)
        assert packed.classes == folder.classes
        assert {record.path for record in packed.records} == {archive}
        assert packed.records[0].member == f"{below}{part}/{folder.records[0].video_id}"


def test_archives_of_one_part_and_what_systems_add_to_them(tree, tmp_path):
    expected = ids(read_image_manifest(tree / "val"))
    alone, below = pack(tree / "val", tmp_path / "a.zip"), pack(tree / "val", tmp_path / "b.zip", below="val/")
    with zipfile.ZipFile(below, "a") as archive:
        archive.writestr("__MACOSX/val/apple/._0 of 2.JPEG", b"")
        archive.writestr("val/.DS_Store", b"")
        archive.writestr("val/apple/", b"")
    assert ids(read_image_manifest(alone)) == ids(read_image_manifest(below)) == expected


@pytest.mark.parametrize("packed", [True, False])
def test_test_folders_serve_as_validation_with_a_warning(tmp_path, caplog, packed):
    tree = write_tree(tmp_path / "tree", val="test")
    place = pack(tree, tmp_path / "x.zip") if packed else tree
    assert len(read_image_manifest(place, part="train").records) == 12
    assert not caplog.records
    assert len(read_image_manifest(place, part="val").records) == 6
    assert re.search(r"no folder val, test is taken\b", caplog.text)


def test_faults(tree, tmp_path):
    with pytest.raises(ManifestError, match=r"no folder or archive .*gone\.zip;"):
        read_image_manifest(tmp_path / "gone.zip", part="train")
    with pytest.raises(ManifestError, match=r"no folder .*val/train;"):
        read_image_manifest(tree / "val", part="train")
    with pytest.raises(ManifestError, match=r"no folder .*/val or .*valid or .*validation or .*test;"):
        read_image_manifest(tree / "train", part="val")
    archive = pack(tree / "val", tmp_path / "x.zip")
    # the whole sentence, once for its family
    whole = (
        r"x\.zip holds no folder train, neither at its top nor below one top folder; at its top are apple, pear, "
        "quince$"
    )
    with pytest.raises(ManifestError, match=whole):
        read_image_manifest(archive, part="train")
    with pytest.raises(ManifestError, match="label 'apple'; .*2 .*classes are pear, quince"):
        read_image_manifest(archive, classes=("pear", "quince"))
    with pytest.raises(ValueError, match='part=\'test\' .*"train" or "val"'):
        read_image_manifest(tree, part="test")
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(archive, "a") as file:
        file.writestr("apple/0 of 2.JPEG", b"another")
    with pytest.raises(ManifestError, match=r"x\.zip .*two files .*apple/0 of 2\.JPEG\b"):
        read_image_manifest(archive)


@pytest.mark.parametrize("packed", [True, False])
def test_class_folders_without_a_picture(tree, tmp_path, packed):
    shutil.copytree(tree / "val", tmp_path / "tree")
    (tmp_path / "tree" / "zebra").mkdir()
    if packed:
        (tmp_path / "tree" / "zebra" / "notes.txt").touch()
    place = pack(tmp_path / "tree", tmp_path / "x.zip") if packed else tmp_path / "tree"
    with pytest.raises(ManifestError, match=r"class folder zebra .*no picture\b"):
        read_image_manifest(place)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("of_tensors", [True, False])
def test_views_equal_torchvisions_transforms(tmp_path, of_tensors, interpolation):
    """Bit for bit where it resizes tensors, to one level of 255 where it resizes Pillow's pictures.

    The sizes are such that the long side needs no rounding: ours goes to the nearest pixel, torchvision's down.
    """
    for number, size in enumerate([(30, 40), (48, 36), (33, 33), (24, 70)]):
        write_picture(tmp_path / CLASSES[number % 3] / f"{number}.jpg", seed=number, size=size)
    resize = v2.Resize(24, interpolation=v2.InterpolationMode(interpolation), antialias=True)
    first, shape = v2.PILToTensor(), [resize, v2.CenterCrop(20)]
    steps = [first, *shape] if of_tensors else [*shape, first]
    finish = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(IMAGENET_MEAN, IMAGENET_STD)]
    theirs = ImageFolder(tmp_path, v2.Compose([*steps, *finish]))
    sizes = dataclasses.replace(SIZES, interpolation=interpolation)
    manifest, protocol = read_image_manifest(tmp_path), "single"
    dataset = ViewDataset(manifest, preprocessing=sizes, protocol=protocol)
    kept = ViewDataset(manifest, preprocessing=sizes, protocol=protocol, decoding=Decoding(cache="memory"))
    tolerance = 1e-6 if of_tensors else 1.001 / 255 / min(IMAGENET_STD)
    for (image, label), item, kept_item in zip(theirs, dataset, kept, strict=True):
        assert [item["label"], item["error"]] == [label, ""]
        assert torch.equal(torch.as_tensor(kept_item["views"]), torch.as_tensor(item["views"]))
        ours = DeviceTransform(SIZES)(item["views"])[0, :, 0]  # (3, 20, 20)
        torch.testing.assert_close(ours, image, rtol=0, atol=tolerance)


def batches(manifest, *, num_workers):
    views = ViewDataset(manifest, preprocessing=SIZES, protocol="single")
    clips = ClipDataset(manifest, preprocessing=SIZES, transform=TrainTransform(SIZES), seed=3)
    loaded = []
    for dataset, collate in ((views, collate_views), (clips, collate_clips)):
        key = "views" if dataset is views else "clip"
        loader = DataLoader(dataset, batch_size=5, num_workers=num_workers, collate_fn=collate)
        loaded += [batch[key] for batch in loader]
    return loaded


def test_archives_give_what_folders_give_and_workers_what_one_process_gives(tree, tmp_path):
    archive = pack(tree, tmp_path / "x.zip")
    expected = batches(read_image_manifest(tree, part="train"), num_workers=0)
    assert expected[0].shape == (5, 1, 3, 1, 20, 20)
    assert expected[-1].shape[1:] == (3, 1, 20, 20)
    for num_workers in (0, 2):
        found = batches(read_image_manifest(archive, part="train"), num_workers=num_workers)
        assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))


def test_a_broken_picture_is_replaced_in_training_and_missing_in_evaluation(tree, tmp_path):
    shutil.copytree(tree / "train", tmp_path / "tree")
    broken = tmp_path / "tree" / "pear" / "1 of 4.JPEG"
    broken.write_bytes(broken.read_bytes()[:200])
    manifest = read_image_manifest(pack(tmp_path / "tree", tmp_path / "x.zip"))
    number = [record.video_id for record in manifest.records].index("pear/1 of 4.JPEG")
    view = ViewDataset(manifest, preprocessing=SIZES, protocol="single")[number]
    assert "x.zip: pear/1 of 4.JPEG': " in view["error"]
    assert not view["views"].any()
    item = ClipDataset(manifest, preprocessing=SIZES, transform=TrainTransform(SIZES))[number]
    assert item["num_skipped"] == 1
    assert item["index"] != number
    assert "pear/1 of 4.JPEG" in str(item["skipped"])

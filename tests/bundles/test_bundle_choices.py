"""How a video is seen can be chosen; what the graph fixes can't."""

import pytest
from linear_bundle import SIZES, write_linear_bundle

from stvit_video.bundles.bundle_choices import choose_views, refuse_fixed, refuse_other_graph
from stvit_video.bundles.bundle_folder import read_bundle
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.inference.test_protocol import TestProtocol


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return read_bundle(write_linear_bundle(tmp_path_factory.mktemp("choices") / "b"))


def test_without_a_choice_all_is_as_the_bundle_says(bundle):
    protocol, preprocessing = choose_views(bundle)
    assert protocol == TestProtocol(num_clips=2, num_crops=3, average="prob")
    assert preprocessing == bundle.preprocessing


def test_views_and_what_leaves_the_size_can_be_chosen(bundle):
    protocol, preprocessing = choose_views(
        bundle, num_clips=5, num_crops=1, average="logit", frame_stride=7, short_side=33, num_frames=4, crop_size=16
    )
    assert protocol == TestProtocol(num_clips=5, num_crops=1, average="logit")
    assert (preprocessing.frame_stride, preprocessing.short_side) == (7, 33)
    assert (preprocessing.num_frames, preprocessing.crop_size) == (4, 16)


@pytest.mark.parametrize("name", ["videoswin", "mvit", "videomae"])
@pytest.mark.parametrize("num_crops", [None, 1, 3])
def test_a_named_protocol_is_that_of_the_checkpoint(bundle, name, num_crops):
    protocol, preprocessing = choose_views(bundle, protocol=name, num_crops=num_crops)
    assert protocol == TestProtocol.named(name, num_crops=num_crops)
    assert preprocessing == find_protocol(name).preprocessing(bundle.preprocessing, num_crops=protocol.num_crops)


def test_of_a_bundle_with_a_named_protocol_the_short_side_follows_the_crops(tmp_path):
    protocol = {"name": "mvit", "num_clips": 5, "num_crops": 1, "average": "prob"}
    sizes = SIZES | {"short_side": 18}  # 16 * 256 / 224
    bundle = read_bundle(write_linear_bundle(tmp_path / "b", protocol=protocol, sizes=sizes))
    assert choose_views(bundle)[1].short_side == 18
    sides = [find_protocol("mvit").preprocessing(bundle.preprocessing, num_crops=n).short_side for n in (1, 3)]
    assert [choose_views(bundle, num_crops=n)[1].short_side for n in (1, 3)] == sides


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"num_frames": 8}, "num_frames=8 .*num_frames=4; .*export .*again with num_frames=8"),
        ({"crop_size": 20}, "crop_size=20 .*crop_size=16; .*again with crop_size=20"),
        ({"short_side": 15}, "crop_size=16 .*short_side=15"),
        ({"frame_stride": 0}, "frame_stride=0 .*at least 1"),
        ({"num_crops": 2}, "num_crops=2 .*1 .*or 3"),
        ({"average": "mean"}, "average='mean' .*prob, logit"),
        ({"protocol": "swin"}, "protocol='swin' .*videoswin"),
        ({"protocol": "slowfast"}, "protocol=slowfast .*18 pixels, .*graph takes 16; .*another protocol.*checkpoint"),
    ],
)
def test_what_does_not_fit_is_refused(bundle, choice, words):
    with pytest.raises(ValueError, match=words):
        choose_views(bundle, **choice)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"gmacs": 2.5}, "gmacs .*num_tokens= or generate_at="),
        ({"features": "x.npz"}, "features .*logits alone.*checkpoint"),
        ({"device": "cuda:1"}, "device=cuda:1 .*CPU; leave it out"),
    ],
)
def test_what_the_graph_fixes_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        refuse_fixed(given)
    refuse_fixed({"num_tokens": 8, "features": None, "device": "cpu", "other": 3})


@pytest.mark.parametrize(
    ("has", "given", "words"),
    [
        ({"num_tokens": 4}, {"num_tokens": 8}, "^num_tokens=8 .*graph has num_tokens=4; .*again with num_tokens=8$"),
        ({"num_tokens": [1, 2, 2]}, {"num_tokens": (2, 2, 2)}, "num_tokens=2x2x2 .*graph has num_tokens=1x2x2; "),
        ({"num_tokens": None}, {"num_tokens": 8}, "graph has num_tokens=none; "),
        ({"generate_at": 2}, {"generate_at": 1}, "generate_at=1 .*graph has generate_at=2; .*with generate_at=1$"),
    ],
)
def test_another_graph_than_that_of_the_bundle_is_refused_and_its_own_taken(tmp_path, has, given, words):
    bundle = read_bundle(write_linear_bundle(tmp_path / "b", **has))
    with pytest.raises(ValueError, match=words):
        refuse_other_graph(bundle, given)
    refuse_other_graph(bundle, {**has, "num_frames": 4, "crop_size": 16, "short_side": 7})

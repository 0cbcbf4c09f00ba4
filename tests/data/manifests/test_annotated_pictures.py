import pickle
from dataclasses import replace

import numpy as np
import pytest
from coco_maker import read_part, write_coco

from stvit_video.data.manifests.annotated_pictures import ListedObject, object_limit, pack_objects
from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return read_part(write_coco(tmp_path_factory.mktemp("coco")))


def test_objects_of_a_picture_by_hand(pictures):
    first, second, third = pictures.pictures
    objects = pictures.objects_of(first)
    np.testing.assert_array_equal(objects.boxes, [[10, 20, 40, 45], [0.5, 1.5, 8.5, 7.75]])
    assert objects.labels.tolist() == [0, 1]
    assert objects.areas.tolist() == [700, 50]
    assert objects.segmentations[1] == [[0.5, 1.5, 8.5, 1.5, 8.5, 7.75, 0.5, 7.75]]
    assert pictures.objects_of(second).crowd.tolist() == [True, False]
    assert pictures.objects_of(second, outlines=False).segmentations is None
    assert pictures.objects_of(third).boxes.shape == (0, 4)
    assert (first.labels, second.labels, third.labels) == ((0, 1), (1,), ())
    assert first.label == NO_SINGLE_LABEL


def test_some_objects_are_chosen(pictures):
    objects = pictures.objects_of(pictures.pictures[0])
    chosen = objects.only(np.array([False, True]))
    assert chosen.labels.tolist() == [1]
    assert chosen.segmentations == objects.segmentations[1:]
    assert objects.only(np.array([1, 0])).labels.tolist() == [1, 0]


def test_crowds_and_unsound_boxes_are_not_learned(pictures):
    assert pictures.learned().tolist() == [True, True, False, True]
    unsound = replace(pictures.objects, sound=np.array([True, False, True, True]))
    assert replace(pictures, objects=unsound).learned().tolist() == [True, False, False, True]


def test_a_shorter_list_keeps_the_objects_of_its_pictures(pictures):
    full = pictures.without_empty()
    assert [record.video_id for record in full.records] == ["a.png", "b.png"]
    assert full.objects is pictures.objects
    only_second = replace(pictures, records=pictures.records[1:2])
    assert only_second.objects_of(only_second.pictures[0]).labels.tolist() == [1, 1]
    assert pickle.loads(pickle.dumps(only_second)) == only_second


def test_lists_without_outlines_hold_none():
    rows = [ListedObject((0, 0, 2, 2), 0, 4.0), ListedObject((0, 0, 2, 3), 1, 6.0, crowd=True)]
    packed = pack_objects(rows, np.array([True, True]))
    assert packed.outlines is None
    assert len(packed) == 2
    assert pack_objects([], np.zeros(0, dtype=bool)).bbox.shape == (0, 4)


def test_objects_are_limited_by_number_and_by_the_memory_of_their_masks():
    assert object_limit((1000, 1000), max_objects=5000, masks=False) == 5000
    assert object_limit((1000, 1000), max_objects=5000, masks=True) == 1073
    assert object_limit((1000, 1000), max_objects=7, masks=True) == 7
    assert object_limit((1000, 1000), max_objects=None, masks=True) == 1073
    assert object_limit((50000, 50000), max_objects=None, masks=True) == 1
    assert object_limit((10, 10), max_objects=None, masks=False) > 10**9

import torch

from stvit_video.data.loading.picture_batch import collate_pictures, pad_maps, pad_pictures


def item(number, size, **more):
    picture = torch.full((3, *size), float(number))
    target = {"boxes": torch.zeros(number, 4)}
    facts = {"name": f"{number}.png", "picture_id": 10 * number, "original_size": (number, 9), "index": number}
    facts |= {"sequence": f"clip {number}", "frame_place": number + 4}
    return {"picture": picture, "target": target, **facts, **more}


def test_pictures_are_padded_with_0_on_the_right_and_below():
    batch = pad_pictures([torch.ones(3, 33, 20), torch.full((3, 10, 65), 2.0)])
    assert batch["pictures"].shape == (2, 3, 64, 96)
    assert batch["sizes"] == [(33, 20), (10, 65)]
    assert batch["pictures"].sum((1, 2, 3)).tolist() == [3 * 33 * 20, 2 * 3 * 10 * 65]
    assert (batch["pictures"][1, :, :10, :65] == 2).all()


def test_a_training_batch_counts_what_was_passed_over():
    broken = [(7, "7 is broken")]
    batch = collate_pictures(
        [item(1, (32, 32), num_skipped=2, skipped=broken), item(2, (32, 40), num_skipped=0, skipped=[])]
    )
    assert batch["pictures"].shape == (2, 3, 32, 64)
    assert [len(target["boxes"]) for target in batch["targets"]] == [1, 2]
    assert batch["names"] == ["1.png", "2.png"]
    assert batch["picture_ids"] == [10, 20]
    assert batch["original_sizes"] == [(1, 9), (2, 9)]
    assert (batch["sequences"], batch["frame_places"]) == (["clip 1", "clip 2"], [5, 6])
    assert batch["index"].tolist() == [1, 2]
    assert batch["num_skipped"].tolist() == [2, 0]
    assert batch["skipped"] == broken
    assert "errors" not in batch


def test_an_evaluation_batch_has_the_reasons_of_what_is_missing():
    batch = collate_pictures([item(1, (32, 32), error=""), item(2, (32, 32), error="gone")])
    assert batch["errors"] == ["", "gone"]
    assert "skipped" not in batch


def test_maps_are_padded_with_255_to_the_size_of_their_pictures():
    sizes = [(20, 70), (40, 30)]
    maps = [torch.full(size, row, dtype=torch.uint8) for row, size in enumerate(sizes)]
    padded = pad_maps(maps)
    assert padded.shape == (2, *pad_pictures([torch.zeros(3, *size) for size in sizes])["pictures"].shape[2:])
    assert padded.dtype == torch.int64
    for row, (height, width) in enumerate(sizes):
        inside = torch.zeros(padded.shape[1:], dtype=torch.bool)
        inside[:height, :width] = True
        assert (padded[row][inside] == row).all()
        assert (padded[row][~inside] == 255).all()


def test_batches_of_maps_have_them_in_place_of_targets():
    item = {"picture": torch.zeros(3, 5, 7), "name": "a", "index": 3, "sequence": None}
    known = {"picture_id": "a", "original_size": (9, 8), "frame_place": 0}
    training = {"map": torch.zeros(5, 7, dtype=torch.uint8), "num_skipped": 0, "skipped": []}
    batch = collate_pictures([item | known | training])
    assert batch["maps"].shape == (1, 32, 32)
    assert not {"targets", "true_maps"} & set(batch)
    tested = {"true_map": torch.ones(9, 8, dtype=torch.uint8), "error": ""}
    batch = collate_pictures([item | known | tested])
    assert [tuple(labels.shape) for labels in batch["true_maps"]] == [(9, 8)]
    assert not {"targets", "maps"} & set(batch)

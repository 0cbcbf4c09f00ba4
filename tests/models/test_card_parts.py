"""The parts that all model cards share."""

from stvit_video.models.card_parts import card_text, file_name, measured_rows, recipe_rows

METADATA = {
    "model": {"name": "casvit_xs", "options": {"drop_path_rate": 0.1}},
    "config": {
        "init_from": "C:\\somebody\\weights.pth",
        "data": {"batch_size": 6},
        "optim": {"lr": 0.5, "expected_batch": None},
        "trainer": {"max_epochs": 4},
        "seed": 7,
    },
}


def test_a_card_has_its_parts_in_order_and_rows_without_a_value_are_left_out():
    rows = {"data": {"a": 1, "b": None}, "recipe": {"c": 2}, "numbers": {"d": 3}, "limits": {"e": 0}}
    card = card_text("name", "What it is.", how_to_load="Load it.", **rows)
    assert card == (
        "# name\n\nWhat it is.\n\n## How to load it\n\nLoad it.\n\n## Data\n\n* a: 1\n\n## Recipe\n\n* c: 2\n\n"
        "## Numbers\n\n* d: 3\n\n## Limits\n\n* e: 0\n"
    )


def test_the_recipe_tells_settings_and_no_folders():
    assert {name: value for name, value in recipe_rows(METADATA, unit="pictures").items() if value is not None} == {
        "model": "drop_path_rate=0.1",
        "started from": "weights.pth",
        "epochs": 4,
        "pictures of a batch in each process": 6,
        "optimizer": "lr=0.5",
        "seed": 7,
    }


def test_settings_that_a_task_does_not_have_are_left_out():
    rows = recipe_rows(METADATA, unit="pictures", unused=["optim.lr", "optim.expected_batch"])
    assert (rows["optimizer"], rows["seed"]) == (None, 7)


def test_without_a_result_there_is_no_accuracy():
    rows = measured_rows(None, 1_234_567, cost={})
    assert rows == {"parameters": "1.23 M", "accuracy": rows["accuracy"]}
    assert "not measured" in rows["accuracy"]


def test_the_last_part_of_a_path_of_any_system():
    assert [file_name(path) for path in ("/a/b.pth", "C:\\a\\b.pth", "b.pth")] == ["b.pth"] * 3

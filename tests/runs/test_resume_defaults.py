"""What null, or nothing at all, stands for where the settings of two runs are compared."""

from stvit_video.runs.resume import changed_settings


def test_a_setting_that_is_new_since_had_its_default():
    then, now = {"optim": {"lr": 0.1}}, {"optim": {"lr": 0.1, "layer_decay": 0.5, "nesterov": False}}
    assert changed_settings(then, now) == "optim.layer_decay=None then, 0.5 now"
    model = {"name": "deit_tiny", "depth": None}
    assert changed_settings({"model": model}, {"model": {**model, "depth": 12, "pool": None}}) == ""
    assert (
        changed_settings({"model": model}, {"model": {**model, "mlp_ratio": 3.0}})
        == "model.mlp_ratio=4.0 then, 3.0 now"
    )


def test_a_warm_up_that_is_left_out_is_the_usual_one():
    then = {"optim": {"warmup_epochs": 5.0}, "trainer": {"max_epochs": 30}}
    now = {"optim": {"warmup_epochs": None}, "trainer": {"max_epochs": 30}}
    assert changed_settings(then, now) == ""
    short, longer = ({"optim": {"warmup_epochs": None}, "trainer": {"max_epochs": number}} for number in (6, 12))
    assert changed_settings(short, longer) == ""  # which is no change of the setting
    assert changed_settings({**then, "trainer": {"max_epochs": 6}}, short) == "optim.warmup_epochs=5.0 then, None now"

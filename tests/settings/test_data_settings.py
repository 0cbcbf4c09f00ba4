from stvit_video.settings.data_settings import ClipSettings


def test_options_of_a_layout_are_kept_beside():
    data = ClipSettings.model_validate({"source": "csv", "train": "a.csv", "mean": [0.1, 0.2, 0.3]})
    assert data.options == {"train": "a.csv"}
    assert (data.mean, data.plain()["mean"], data.plain()["train"]) == ((0.1, 0.2, 0.3), [0.1, 0.2, 0.3], "a.csv")

import pytest

from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.reading import read_settings


def test_only_the_checkpoint_must_be_given():
    assert list(read_settings(EvaluateSettings, {}).wrong) == ["ckpt_path"]
    settings = read_settings(EvaluateSettings, {"ckpt_path": "a.ckpt", "model": {"num_tokens": [2, 3]}}).settings
    assert (settings.ckpt_path, settings.model.num_tokens, settings.protocol) == ("a.ckpt", (2, 3), None)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"precision": "64"}, "precision"),
        ({"num_workers": -1}, "num_workers"),
        ({"model": {"num_tokens": 0}}, "model.num_tokens"),
        ({"backend": "vlc"}, "backend"),
    ],
)
def test_values_out_of_range(values, name):
    read = read_settings(EvaluateSettings, {"ckpt_path": "a", **values})
    assert list(read.wrong) == [name]
    assert read.wrong[name].startswith(f"{name}=")

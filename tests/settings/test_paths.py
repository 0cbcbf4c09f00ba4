from pathlib import Path

from stvit_video.settings.paths import CONF_DIR


def test_the_configuration_is_found_from_anywhere():
    assert (Path(CONF_DIR) / "train.yaml").is_file()
    assert Path(CONF_DIR).is_absolute()

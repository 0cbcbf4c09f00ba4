from pathlib import Path

from stvit_video.settings.paths import CONF_DIR, PATHS


def test_the_configuration_is_found_from_anywhere():
    assert (Path(CONF_DIR) / "train.yaml").is_file()
    assert Path(CONF_DIR).is_absolute()


def test_paths_are_settings_of_data():
    written = "".join(path.read_text() for path in (Path(CONF_DIR) / "data").glob("*.yaml"))
    assert all(f"{name}:" in written for name in PATHS)

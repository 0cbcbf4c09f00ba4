"""Find lists and videos from the settings that name them; errors name the setting."""

from collections.abc import Callable
from pathlib import Path

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.shards.file_tree import archive_of
from stvit_video.utils.written_paths import windows_way

Reading = Callable[[], Manifest]  # reads the list that a layout has found


def required(value: str | None, setting: str, *, source: str) -> str:
    """The value of a setting that the layout needs.

    Args:
        value: of the setting.
        setting: its name in the group `data`.
        source: the layout's name, for the message.

    Raises:
        ValueError: it is not given.
    """
    if not value:
        raise ValueError(f"data.source={source} needs data.{setting}; give it, for example data.{setting}=/path")
    return str(value)


def existing(value: str | None, setting: str, *, source: str) -> str:
    """The path of a setting that the layout needs.

    Args:
        value: with setting, source: see `required`.

    Raises:
        ValueError: it is not given.
        ManifestError: there is no such file or folder.
    """
    path = required(value, setting, source=source)
    if not Path(path).exists():
        also = "" if setting == "root" else ", or in data.root"
        raise ManifestError(
            f"data.{setting}: there is no {path}{windows_way(path)}; correct the path "
            f"(a relative one starts in the working directory, {Path.cwd()}{also})"
        )
    return path


def existing_place(value: str | None, setting: str, *, source: str) -> str:
    """The path of a setting, which may go on into a .zip, "set.zip/images"; whether that is in it is not looked at.

    Args:
        value: with setting, source: see `required`.

    Raises:
        ValueError: it is not given.
        ManifestError: there is no such file or folder.
    """
    path = required(value, setting, source=source)
    return path if archive_of(path) is not None else existing(value, setting, source=source)


def published_folder(value: str | None, setting: str, name: str, *, root: str | None, source: str) -> Path:
    """The folder of a setting; where it is not given, the published folder `name` in data.root.

    Args:
        value: with setting, source: see `required`.
        name: of the folder as it is published; "" = data.root itself.
        root: of the setting data.root.

    Raises:
        ValueError: neither is given.
        ManifestError: there is no such folder.
    """
    if value:
        return Path(existing(value, setting, source=source))
    folder = Path(existing(root, "root", source=source), name)
    if not folder.is_dir():
        raise ManifestError(f"there is no folder {folder}; correct data.root, or give the folder as data.{setting}")
    return folder


def published_file(value: str | None, setting: str, name: str, *, root: str | None, source: str) -> Path:
    """The file of a setting; where it is not given, the file `name` in data.root.

    Args:
        value: with setting, source: see `required`.
        name: of the file as it is published.
        root: of the setting data.root.

    Raises:
        ValueError: neither is given.
        ManifestError: there is no such file.
    """
    if value or not root:
        return Path(existing(value, setting, source=source))
    file = Path(existing(root, "root", source=source), name)
    if not file.is_file():
        raise ManifestError(f"there is no file {file}; correct data.root, or give the file as data.{setting}")
    return file


def refuse_lists(source: str, **lists: str | None) -> None:
    """Refuse lists that the user gives to a layout that has its own.

    Args:
        source: the layout's name, for the message.
        lists: settings of the group `data` by name.

    Raises:
        ValueError: one of them is given.
    """
    for setting, value in lists.items():
        if value:
            raise ValueError(
                f"data.source={source} has lists of its own; leave data.{setting} out, and give data.lists or "
                "data.videos where they are not in data.root"
            )

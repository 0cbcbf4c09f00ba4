"""Where shards are: patterns of names become places, local files or addresses of an object store.

Addresses are read by fsspec, which knows s3://, gs://, https:// and more by libraries of their own (s3fs, gcsfs,
aiohttp), and takes the credentials from where these look for them.
"""

import glob
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.utils.addresses import is_address
from stvit_video.utils.optional import MissingLibraryError, load_optional

SHARD_ENDING = ".tar"
MAX_SHARDS = 1_000_000
NUM_ASKED = 16  # shards whose size is asked for at the same time
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def expand_braces(pattern: str) -> list[str]:
    """All names that a pattern stands for: {000..099} = numbers with these zeros, {a,b} = either; in order.

    Raises:
        ManifestError: a brace is open or holds something else, or there are more than MAX_SHARDS names.
    """
    found = _BRACES.search(pattern)
    if found is None:
        if "{" in pattern or "}" in pattern:
            raise ManifestError(f"{pattern!r} has a brace without its other half; write e.g. {{000..099}}")
        return [pattern]
    inner = _choices(found[1], pattern)
    rest = expand_braces(pattern[found.end() :])
    if len(inner) * len(rest) > MAX_SHARDS:
        raise ManifestError(f"{pattern!r} stands for more than {MAX_SHARDS} names; give a shorter range")
    return [pattern[: found.start()] + choice + tail for choice in inner for tail in rest]


def expand_shards(pattern: str) -> list[str]:
    """The shards that a pattern names, each once.

    Args:
        pattern: a .tar file; names with {000..099} or {a,b}; with * or ? (local files only); or a local folder,
            whose .tar files are meant.

    Returns:
        Local paths or addresses; braces in the order that they are written in, * and folders sorted.

    Raises:
        ManifestError: nothing fits * or the folder, a name does not end in .tar, or a name comes twice.
    """
    shards = [shard for name in expand_braces(pattern) for shard in _existing_names(name)]
    bad = [shard for shard in shards if not shard.lower().endswith(SHARD_ENDING)]
    if bad:
        raise ManifestError(
            f"{bad[0]!r} does not end in {SHARD_ENDING}; shards are plain tar files (videos are compressed already, "
            "and single members of a compressed tar can't be read)"
        )
    if len(set(shards)) < len(shards):
        double = next(shard for shard in shards if shards.count(shard) > 1)
        raise ManifestError(f"{pattern!r} names {double} more than once; name each shard once")
    return shards


def file_system(address: str) -> tuple[Any, str]:
    """The fsspec file system of an address, and the path in it.

    Raises:
        MissingLibraryError: fsspec, or its library for this protocol, does not import.
        ValueError: fsspec knows no such protocol, or the address is malformed.
    """
    protocol = address.partition("://")[0]
    fsspec = load_optional("fsspec", needed_for=f"reading shards from {protocol}://", install="pip install fsspec")
    try:
        system, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        extra = protocol.removesuffix("s") if protocol == "https" else protocol
        raise MissingLibraryError(
            f"reading shards from {protocol}:// needs a library that does not import here ({error}); "
            f"install it with: pip install 'fsspec[{extra}]'"
        ) from error
    except ValueError as error:
        raise ManifestError(f"{address!r} can't be opened: {error}") from error
    return system, path


def sizes_of(shards: Sequence[str]) -> dict[str, int | None]:
    """Shard -> its bytes; None = it is not there, or can't be read.

    Args:
        shards: local paths, or addresses.
    """
    # opened here: a file system and its connections are kept for each thread
    opened = [file_system(shard) if is_address(shard) else None for shard in shards]
    with ThreadPoolExecutor(NUM_ASKED) as pool:
        return dict(zip(shards, pool.map(_size, shards, opened), strict=True))


def folder_of(shard: str) -> str:
    """The folder that a shard is in."""
    return shard.rpartition("/")[0] if is_address(shard) else os.path.dirname(os.path.abspath(shard))


def _size(shard: str, opened: tuple[Any, str] | None) -> int | None:
    if opened is None:
        return os.path.getsize(shard) if os.path.isfile(shard) else None
    system, path = opened
    try:
        size = system.size(path)
    except Exception:  # each library has errors of its own for what is not there or forbidden
        return None
    return None if size is None else int(size)


def _choices(inner: str, pattern: str) -> list[str]:
    """What one pair of braces stands for."""
    numbers = _RANGE.fullmatch(inner)
    if numbers is None:
        if "," not in inner:
            raise ManifestError(f"{pattern!r}: {{{inner}}} is not understood; write e.g. {{000..099}} or {{a,b}}")
        return inner.split(",")
    first, last = int(numbers[1]), int(numbers[2])
    if not 0 <= last - first < MAX_SHARDS:
        raise ManifestError(f"{pattern!r}: {{{inner}}} must run from a lower to a higher number")
    width = max(map(len, numbers.groups())) if any(text[0] == "0" for text in numbers.groups()) else 0
    return [f"{number:0{width}d}" for number in range(first, last + 1)]


def _existing_names(name: str) -> list[str]:
    """A name as it is, or the local files that it stands for."""
    is_pattern = glob.has_magic(name) and not os.path.exists(name)
    if is_address(name):
        if is_pattern or not name.lower().endswith(SHARD_ENDING):
            raise ManifestError(f"{name!r}: an address can't be searched; name its shards, e.g. .../{{000..099}}.tar")
        return [name]
    if os.path.isdir(name):
        name, is_pattern = os.path.join(glob.escape(name), f"*{SHARD_ENDING}"), True
    if not is_pattern and not os.path.splitext(name)[1] and not os.path.exists(name):
        raise ManifestError(f"there is no folder {name}; correct the path")
    if not is_pattern:
        return [os.path.abspath(name)]
    found = sorted(path for path in glob.glob(name) if os.path.isfile(path))
    if not found:
        raise ManifestError(f"there is no shard {name}; correct the path")
    return [os.path.abspath(path) for path in found]

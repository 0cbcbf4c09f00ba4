"""index.csv beside tar shards: a row for each video, so that shards are searched once and then read in any order.

An index counts for a shard as long as the shard has the size that the index states and, where it is a local file, is
no younger than the index. What it does not count for is searched again; addresses can't be searched.
"""

import csv
import fnmatch
import io
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.shards.locations import file_system, folder_of, sizes_of
from stvit_video.data.shards.tar_scan import Member, scan_shard
from stvit_video.utils.addresses import is_address
from stvit_video.utils.atomic_files import write_table
from stvit_video.utils.long_fields import any_length
from stvit_video.utils.written_paths import PathFinder

INDEX_NAME = "index.csv"
HEADER = (
    *("shard", "shard_bytes", "member", "first_byte", "num_bytes"),
    *("label", "class_number", "video_id", "split", "start_seconds", "end_seconds"),
)
_log = logging.getLogger(__name__)


class IndexedShard(NamedTuple):
    """The size of a shard in bytes when it was searched, and its videos in its order."""

    num_bytes: int
    members: tuple[Member, ...]


Index = dict[str, IndexedShard]  # by the name of the shard in its folder


def find_members(shards: Sequence[str], faults: Faults) -> dict[str, tuple[Member, ...]]:
    """Shard -> its videos, from the index beside it, which is made or mended where that is possible.

    Args:
        shards: local paths, or addresses.
        faults: where shards go that are not there, damaged, or on an object store and not in an index.
    """
    found: dict[str, tuple[Member, ...]] = {}
    folders: dict[str, list[str]] = {}
    for shard in shards:
        folders.setdefault(folder_of(shard), []).append(shard)
    for folder, inside in folders.items():
        find = _find_at_address if is_address(folder + "/") else _find_local
        found |= find(folder, inside, faults)
    return {shard: found[shard] for shard in shards if shard in found}


def missing_shards(pattern: str) -> list[str]:
    """The local shards that a folder or a pattern with * should have by its index.csv, and that are not there."""
    if is_address(pattern) or "{" in pattern:
        return []
    folder, name = (pattern, "*") if os.path.isdir(pattern) else os.path.split(pattern)
    listed = fnmatch.filter(_local_index(folder), name)
    finder = PathFinder(folder)  # copies by a Mac have names in another form
    return [os.path.join(folder, shard) for shard in listed if finder.find(shard) is None]


def write_index(folder: str | os.PathLike[str], index: Mapping[str, IndexedShard]) -> None:
    """Write `folder`/index.csv.

    Raises:
        OSError: it can't be written; an old one stays.
    """
    rows = ((name, shard.num_bytes, *member) for name, shard in sorted(index.items()) for member in shard.members)
    write_table(Path(folder, INDEX_NAME), header=HEADER, rows=rows)


def parse_index(text: str) -> Index:
    """What an index.csv holds.

    Raises:
        ValueError: it is no such table.
    """
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = tuple(next(table, ()))
        if header != HEADER:
            raise ValueError(f"its header is {','.join(header)[:200]!r} and not {','.join(HEADER)!r}")
        with any_length():
            rows = [_parsed(row) for row in table]
    except csv.Error as error:
        raise ValueError(str(error)) from error
    sizes: dict[str, int] = {}
    members: dict[str, list[Member]] = {}
    for name, num_bytes, member in rows:
        if sizes.setdefault(name, num_bytes) != num_bytes:
            raise ValueError(f"it gives {name} two sizes, {sizes[name]} and {num_bytes} bytes")
        members.setdefault(name, []).append(member)
    return {name: IndexedShard(sizes[name], tuple(inside)) for name, inside in members.items()}


def _parsed(row: Sequence[str]) -> tuple[str, int, Member]:
    if len(row) != len(HEADER):
        raise ValueError(f"a row has {len(row)} fields and not {len(HEADER)}")
    name, num_bytes, member, first_byte, member_bytes, label, number, video_id, split, start, end = row
    times = [float(text) if text else None for text in (start, end)]
    return name, int(num_bytes), Member(
        member, int(first_byte), int(member_bytes), label, number, video_id, split, *times
    )  # fmt: skip


def _find_local(folder: str, shards: Sequence[str], faults: Faults) -> dict[str, tuple[Member, ...]]:
    index, found, new = _local_index(folder), {}, []
    for shard, size in sizes_of(shards).items():
        name = os.path.basename(shard)
        if size is None:
            faults.add(0, f"there is no shard {shard}; get it, or correct the pattern")
            continue
        if name not in index or index[name].num_bytes != size or _is_younger(shard, folder):
            before = len(faults.found)
            index[name] = IndexedShard(size, tuple(scan_shard(shard, faults)))
            new += [name] if len(faults.found) == before else []
        found[shard] = index[name].members
    if new and not faults.found:
        _keep(folder, {name: entry for name, entry in index.items() if os.path.isfile(os.path.join(folder, name))})
    return found


def _keep(folder: str, index: Index) -> None:
    try:
        write_index(folder, index)
    except OSError as error:
        words = error.strerror or error
        _log.warning("%s: no %s can be kept there (%s), so shards are searched each time", folder, INDEX_NAME, words)


def _local_index(folder: str) -> Index:
    path = Path(folder, INDEX_NAME)
    if not path.is_file():
        return {}
    try:
        return parse_index(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        _log.warning("%s is not usable (%s), so the shards are searched anew", path, error)
        return {}


def _is_younger(shard: str, folder: str) -> bool:
    return os.stat(shard).st_mtime_ns > os.stat(os.path.join(folder, INDEX_NAME)).st_mtime_ns


def _find_at_address(folder: str, shards: Sequence[str], faults: Faults) -> dict[str, tuple[Member, ...]]:
    index, found = _fetched_index(f"{folder}/{INDEX_NAME}"), {}
    how = f"read the shards once as local files, which writes {INDEX_NAME}, and upload that beside them"
    for shard, size in sizes_of(shards).items():
        name = shard.rpartition("/")[2]
        if size is None:
            faults.add(0, f"{shard} is not there or can't be read; correct the address, or give the right to read it")
        elif name not in index:
            faults.add(0, f"{shard} is not in {folder}/{INDEX_NAME}; {how}")
        elif index[name].num_bytes != size:
            was = index[name].num_bytes
            faults.add(0, f"{shard} has {size} bytes and not {was} as {folder}/{INDEX_NAME} says; {how}")
        else:
            found[shard] = index[name].members
    return found


def _fetched_index(address: str) -> Index:
    system, path = file_system(address)
    how = f"read the shards once as local files, which writes {INDEX_NAME}, and upload that beside them"
    try:
        return parse_index(system.cat_file(path).decode("utf-8"))
    except FileNotFoundError as error:
        raise ManifestError(f"there is no {address}; {how}") from error
    except ValueError as error:
        raise ManifestError(f"{address} is not usable ({error}); {how}") from error
    except Exception as error:  # each library has errors of its own
        words = (str(error) or type(error).__name__).splitlines()[0]
        raise ManifestError(f"{address} can't be read: {words}") from error

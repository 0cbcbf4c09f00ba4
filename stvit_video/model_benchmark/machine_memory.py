"""Memory of this machine and of this process: what is free, a limit that fails before the system kills, the peak."""

import ctypes
import gc
import sys
from contextlib import suppress
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no such limits; the system's own hold
    resource = None  # type: ignore[assignment]

SHARE = 0.9  # of what is free that a process may take
MEMINFO, STATUS = Path("/proc/meminfo"), Path("/proc/self/status")
CGROUP = Path("/sys/fs/cgroup")  # version 2, as a container sees its own


def available_bytes() -> int | None:
    """Memory that can still be taken without swapping, in this container where it has a limit; None = not known."""
    system = _field(MEMINFO, "MemAvailable")
    limit, used = (_number(CGROUP / name) for name in ("memory.max", "memory.current"))
    left = limit - used if limit is not None and used is not None else None
    known = [value for value in (system, left) if value is not None]
    return min(known) if known else None


def peak_bytes() -> int | None:
    """The most memory that this process has had resident since it began; None where the system does not tell.

    On Linux it is VmHWM: `ru_maxrss` also counts the process that this one was started from.
    """
    peak = _field(STATUS, "VmHWM")
    if peak is not None or resource is None:
        return peak
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def limit_memory() -> None:
    """Let this process take `SHARE` of what is free: more is an error of it, in place of a kill by the system.

    Nothing is done where the system does not tell what is free, or has no such limit.
    """
    free, used = available_bytes(), _field(STATUS, "VmData")
    if resource is None or free is None or used is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = used + int(SHARE * free)
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def give_back() -> None:
    """Return to the system what this process no longer uses, as far as its allocator can (glibc)."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _field(path: Path, name: str) -> int | None:
    """Bytes of a line such as "MemAvailable:  123 kB"."""
    with suppress(OSError):
        for line in path.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0]) * 1024
    return None


def _number(path: Path) -> int | None:
    with suppress(OSError, ValueError):  # "max" is no limit
        return int(path.read_text(encoding="utf-8"))
    return None

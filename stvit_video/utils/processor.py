"""What the processor is called and can do, as the system tells it."""

import platform
from pathlib import Path

CPU_FLAGS = {  # as Linux tells them, and as people call them
    "amx_tile": "AMX",
    "amx_bf16": "AMX-BF16",
    "amx_int8": "AMX-INT8",
    "avx512f": "AVX-512",
    "avx512_bf16": "AVX512-BF16",
    "avx512_vnni": "AVX512-VNNI",
    "avx2": "AVX2",
}
CPU_INFO = Path("/proc/cpuinfo")


def processor_name(info: Path = CPU_INFO) -> str:
    """The processor's model as the system tells it, or its architecture."""
    names = [line.split(":", 1)[1].strip() for line in _lines(info) if line.startswith("model name")]
    return names[0] if names else platform.machine()


def cpu_flags(info: Path = CPU_INFO) -> dict[str, bool]:
    """Whether the processor has each of CPU_FLAGS; none where the system does not tell (other than Linux)."""
    flags = next((set(line.partition(":")[2].split()) for line in _lines(info) if line.startswith("flags")), None)
    return {} if flags is None else {name: flag in flags for flag, name in CPU_FLAGS.items()}


def cpu_flag_words(flags: dict[str, bool]) -> str:
    """Flags of `cpu_flags` as a line has them: "AMX, no AVX2"; "" where the system does not tell."""
    return ", ".join(f"{'' if has else 'no '}{name}" for name, has in flags.items())


def _lines(info: Path) -> list[str]:
    return info.read_text(encoding="utf-8").splitlines() if info.is_file() else []

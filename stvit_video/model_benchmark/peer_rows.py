"""The peers: models of other libraries that ours are measured beside, and the input that each was made for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from stvit_video.model_benchmark.model_row import ModelRow
from stvit_video.model_benchmark.own_rows import dense_label, dense_row
from stvit_video.model_benchmark.peer_models import (
    Builder,
    slow_r50,
    slowfast_r50,
    timm_image,
    torchvision_video,
    transformers_video,
    x3d,
)

NONE = "none"
DEFAULT_DENSE = "video_deit_small"  # that clips are compared with where no model of ours for clips is chosen
SMALL = {"hidden_size": 384, "num_attention_heads": 6, "intermediate_size": 1536}


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A model of another library.

    Attributes:
        library: the name of its module.
        build: makes it for an input and a number of classes.
        own_input: (T, H, W) or (H, W) that it was published for.
        keeps_input: True = the size is what tells it from another peer, so it is never asked for another one.
        dense: our dense model of the same kind, for images; clips are all compared with the one of ours.
    """

    library: str
    build: Builder
    own_input: tuple[int, ...]
    keeps_input: bool = False
    dense: str = ""


def _torchvision(name: str, *own_input: int) -> Peer:
    return Peer(library="torchvision", build=torchvision_video(name), own_input=own_input)


def _timm(name: str, dense: str) -> Peer:
    return Peer(library="timm", build=timm_image(name), own_input=(224, 224), dense=dense)


PEERS: Mapping[str, Peer] = {
    **{f"swin3d_{size}": _torchvision(f"swin3d_{size}", 16, 224, 224) for size in "tsb"},
    "mvit_v1_b": _torchvision("mvit_v1_b", 16, 224, 224),
    "mvit_v2_s": _torchvision("mvit_v2_s", 16, 224, 224),
    "s3d": _torchvision("s3d", 16, 224, 224),
    "r2plus1d_18": _torchvision("r2plus1d_18", 16, 112, 112),
    "r3d_18": _torchvision("r3d_18", 16, 112, 112),
    "x3d_s": Peer(library="pytorchvideo", build=x3d, own_input=(13, 160, 160), keeps_input=True),
    "x3d_m": Peer(library="pytorchvideo", build=x3d, own_input=(16, 224, 224)),
    "slow_r50": Peer(library="pytorchvideo", build=slow_r50, own_input=(8, 224, 224)),
    "slowfast_r50": Peer(library="pytorchvideo", build=slowfast_r50, own_input=(32, 224, 224)),
    "videomae_small": Peer(
        library="transformers", build=transformers_video("VideoMAE", **SMALL), own_input=(16, 224, 224)
    ),
    "videomae_base": Peer(library="transformers", build=transformers_video("VideoMAE"), own_input=(16, 224, 224)),
    "timesformer_base": Peer(library="transformers", build=transformers_video("Timesformer"), own_input=(8, 224, 224)),
    "vivit_base": Peer(library="transformers", build=transformers_video("Vivit"), own_input=(32, 224, 224)),
    **{
        f"timm_{family}_{size}": _timm(f"{family}_{size}_{rest}", f"{family}_{size}")
        for family, rest in (("deit", "patch16_224"), ("swin", "patch4_window7_224"))
        for size in ("tiny", "small", "base")
    },
}


def peer_rows(
    patterns: Sequence[str] | None, ours: Sequence[ModelRow], *, num_frames: int, image_size: tuple[int, int]
) -> list[ModelRow]:
    """The rows of peers, and in front of them those of the dense models of ours that they are compared with.

    Args:
        patterns: names of peers or libraries, or shell patterns of them; ("none",) = no peer; None = those whose dense
            model is among our rows, which are those for clips where a model of ours is for clips.
        ours: the rows of our models.
        num_frames: frames T of a clip.
        image_size: (H, W) pixels.

    Raises:
        ValueError: a name that is neither a peer's nor a library's.
    """
    size = (num_frames, *image_size)
    of_clips = next((row.baseline for row in ours if row.is_video), "")
    beside = {row.label: row for row in ours}
    rows: dict[str, ModelRow] = {}
    for name in PEERS if patterns is None else choose_peers(patterns):
        peer = PEERS[name]
        is_video = len(peer.own_input) == 3
        dense = peer.dense or DEFAULT_DENSE
        baseline = (of_clips if is_video else "") or dense_label(dense)
        if patterns is None and baseline not in beside:
            continue
        if baseline not in beside:
            rows.setdefault(baseline, dense_row(dense, input_size=size))
        row = _peer_row(name, peer, asked=size if is_video else image_size, baseline=baseline)
        rows[row.label] = row
    return sorted(rows.values(), key=lambda row: not row.is_ours)


def choose_peers(patterns: Sequence[str]) -> list[str]:
    """The peers that names, libraries or shell patterns ask for, each once.

    Raises:
        ValueError: what is neither a peer's name nor a library's.
    """
    if tuple(patterns) == (NONE,):
        return []
    chosen: dict[str, None] = {}
    for pattern in patterns:
        found = [
            name for name, peer in PEERS.items() if any(fnmatchcase(word, pattern) for word in (name, peer.library))
        ]
        if not found:
            libraries = ", ".join(dict.fromkeys(peer.library for peer in PEERS.values()))
            raise ValueError(
                f"peers={pattern!r} is no peer; give none, a library ({libraries}), or some of {', '.join(PEERS)}"
            )
        chosen.update(dict.fromkeys(found))
    return list(chosen)


def _peer_row(name: str, peer: Peer, *, asked: tuple[int, ...], baseline: str) -> ModelRow:
    return ModelRow(
        label=f"{name} ({peer.library})",
        library=peer.library,
        name=name,
        input_size=peer.own_input if peer.keeps_input else asked,
        baseline=baseline,
        own_input=peer.own_input,
    )

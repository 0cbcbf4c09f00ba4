"""Rules of the rooms and the functions that check them, on modules given as {dotted name: text}."""

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGE = "stvit_video"
ROOT = "(root)"  # stvit_video/__init__.py, the public face
HALL = {"__main__"}  # files beside the rooms that are no commands
# the rooms, ground first, and whom each may import; a folder in a room is a room of its own where it stands here
MAY_IMPORT: dict[str, set[str]] = {
    "utils": {ROOT},
    "layers": set(),
    "tokens": {"layers"},
    "models": {"layers", "tokens", "utils", ROOT},
    "dense": {"models", "tokens", "layers", "utils", ROOT},
    "settings": {"utils"},
    "data/manifests": {"utils"},
    "data/transforms": {"utils"},
    "data/synthetic": {"utils"},
    "data/sampling": {"data/transforms", "utils"},
    "data/decoding": {"data/sampling", "utils"},
    "data/shards": {"data/decoding", "data/manifests", "utils"},
    "data/layouts": {"data/synthetic", "data/shards", "data/decoding", "data/manifests", "utils"},
    "data/loading": {"data/shards", "data/sampling", "data/transforms", "data/decoding", "data/manifests", "utils"},
    "data/curation": {
        *("data/loading", "data/layouts", "data/shards", "data/sampling", "data/decoding", "data/manifests", "utils"),
    },
    "data/benchmarks": {
        *("data/curation", "data/loading", "data/sampling", "data/transforms", "data/decoding", "data/manifests"),
        "utils",
    },
    "data": {"data/decoding", "data/manifests", "data/sampling", "data/transforms", "utils"},  # explain, and the faces
    "evaluation": {"utils"},
    "evaluation/ledger": {"evaluation", "utils"},
    "evaluation/detection": {"evaluation", "utils"},
    "evaluation/segmentation": {"evaluation", "utils"},
    "evaluation/streaming": {"utils"},
    "evaluation/cost": {"utils"},
    "visualization": {
        *("evaluation", "evaluation/detection", "evaluation/segmentation", "data/decoding", "data/sampling", "utils"),
    },
    "training": {
        *("models", "dense", "tokens", "evaluation", "evaluation/detection", "evaluation/segmentation"),
        *("data/manifests", "data/transforms", "utils"),
    },
    "factories": {"settings", "models", "dense", "training", "data/*", "utils"},
    "model_benchmark": {"exporting", "bundles", "models", "evaluation/cost", "tokens", "utils"},
    "inference": {"models", "tokens", "evaluation", "evaluation/cost", "layers", "data/*", "utils"},
    "predictions": {"inference", "visualization", "data/*", "utils"},
    "bundles": {"inference", "predictions", "evaluation", "layers", "data/*", "utils", ROOT},
    "streaming": {
        *("bundles", "inference", "predictions", "evaluation", "evaluation/*", "models", "layers", "visualization"),
        *("data/*", "utils", ROOT),
    },
    "pages": {
        "evaluation",
        "evaluation/*",
        "visualization",
        "data/decoding",
        "data/manifests",
        "data/sampling",
        "utils",
    },
    "token_maps": {
        *("inference", "models", "tokens", "layers", "visualization", "pages", "evaluation", "evaluation/cost"),
        *("predictions", "data/*", "utils"),
    },
    "webdemo": {
        *("token_maps", "bundles", "trained", "inference", "predictions", "models", "layers", "visualization", "pages"),
        *("evaluation", "evaluation/*", "data/*", "utils", ROOT),
    },
    "budgets": {
        *("inference", "predictions", "evaluation", "evaluation/cost", "sweeps/report", "data/*", "utils"),
    },
    "detections": {
        *("inference", "predictions", "models", "dense", "evaluation", "evaluation/*", "visualization", "training"),
        *("tokens", "layers", "data/*", "utils", ROOT),
    },
    "segmentations": {
        *("inference", "predictions", "models", "dense", "evaluation", "evaluation/*", "visualization", "training"),
        *("tokens", "layers", "data/*", "utils", ROOT),
    },
    "trained": {"bundles", "inference", "detections", "segmentations", "models", "utils"},
    "config": {"factories", "models", "dense", "training", "settings", "data/*", "utils"},
    "tasks": {
        *("config", "factories", "inference", "predictions", "detections", "segmentations", "visualization"),
        *("streaming", "pages"),
        *("evaluation", "evaluation/*", "models", "dense", "training", "settings", "data/*", "utils", ROOT),
    },
    "exporting": {
        *("tasks", "factories", "predictions", "inference", "bundles", "streaming", "models", "dense"),
        *("evaluation/cost", "tokens", "layers", "data/*", "utils", ROOT),
    },
    "runs": {"tasks", "config", "factories", "models", "training", "settings", "data/*", "utils"},
    "sweeps": {"config", "inference", "detections", "segmentations", "settings", "sweeps/report", "training", "utils"},
    "sweeps/report": {"pages", "utils"},
    ROOT: {"models", "data/*", "bundles", "streaming", "inference", "detections", "segmentations", "trained", "utils"},
}
# slow or broken: only where needed
LAZY = {
    *("pyarrow", "pytorchvideo", "decord", "av", "fvcore", "matplotlib", "rich", "faster_coco_eval"),
    *("coremltools", "executorch", "onnxruntime", "openvino", "jinja2", "gradio"),
}
TORCH_ONLY = {"layers", "tokens"}  # rooms without third-party libraries but torch
# what a deployed model needs beside its graph: none of these may load torch, nor may what they import
WITHOUT_TORCH = (
    "stvit_video",
    "stvit_video.bundles",
    "stvit_video.data.decode",
    "stvit_video.data.decoding",
    "stvit_video.data.sampling.frame_indices",
    "stvit_video.data.sampling.protocol_rules",
    "stvit_video.data.sampling.protocols",
    "stvit_video.data.transforms.crops",
    "stvit_video.data.transforms.numpy_resize",
    "stvit_video.data.transforms.preprocessing",
    "stvit_video.demo",
    "stvit_video.doctor",
    "stvit_video.evaluation.streaming",
    "stvit_video.predict",
    "stvit_video.stream",
    "stvit_video.streaming.events",
    "stvit_video.streaming.streaming_recognizer",
    "stvit_video.trained.load_trained",
    "stvit_video.utils.processor",
    "stvit_video.webdemo.load_models",
)
TORCH = {"torch", "torchvision", "lightning", "torchmetrics"}
PARALLEL = "models"  # its folders hold one family each, with files of the same names

Sources = Mapping[str, str]  # dotted name -> text


def layering_faults(sources: Sources) -> list[str]:
    """A sentence for every import that a rule forbids."""
    trees = {name: ast.parse(text) for name, text in sources.items()}
    entries = {name for name, tree in trees.items() if name.count(".") == 1 and runs_as_main(tree)}
    faults = []
    for name, tree in trees.items():
        for line, target in _imports(tree, known=set(sources)):
            fault = _fault(name, target, entries=entries, sources=sources)
            if fault:
                faults.append(f"{name}, line {line}: {fault}")
        for line, target in _imports(tree, known=set(sources), at_top=True):
            if target.split(".")[0] in LAZY:
                faults.append(f"{name}, line {line}: {target} is imported at the top; import it where it is needed")
    return faults


def _fault(name: str, target: str, *, entries: set[str], sources: Sources) -> str | None:
    top = target.split(".")[0]
    room = room_of(name, sources)
    if target.startswith("."):
        return f"{target} is a relative import; write the full name"
    if top != PACKAGE:
        third_party = top not in sys.stdlib_module_names and top != "torch"
        return f"{room} imports {top}; this room knows torch only" if room in TORCH_ONLY and third_party else None
    if target in entries:
        return f"{target} is an entry module; nothing imports those"
    if name in entries or room in HALL:  # commands may import anything else
        return None
    if room not in MAY_IMPORT:
        return f"room {room} stands in no rule; add it to MAY_IMPORT"
    other = room_of(target, sources)
    wanted = {other, f"{other.split('/')[0]}/*"}
    if other == room or wanted & MAY_IMPORT[room]:
        return None
    return f"{room} must not import {target}; it may import {', '.join(sorted(MAY_IMPORT[room])) or 'none of ours'}"


def room_of(name: str, sources: Sources) -> str:
    """The deepest folder on the way to a module that stands in MAY_IMPORT; else the first one, or the module's name."""
    parts = name.split(".")[1:]
    if not parts:
        return ROOT
    is_package = any(other.startswith(f"{name}.") for other in sources)
    folders = parts if is_package else parts[:-1]
    for depth in range(len(folders), 0, -1):
        if "/".join(folders[:depth]) in MAY_IMPORT:
            return "/".join(folders[:depth])
    return parts[0]


def circles(sources: Sources) -> list[str]:
    """A sentence for every module that imports itself in a roundabout way, imports within functions counted in."""
    graph = {
        name: {target for _, target in _imports(ast.parse(text), known=set(sources)) if target in sources} - {name}
        for name, text in sources.items()
    }
    return [f"{name} imports itself over {' -> '.join(way)}" for name in graph if (way := _way_back(name, graph))]


def _way_back(start: str, graph: Mapping[str, set[str]]) -> list[str]:
    """The shortest way from a module over its imports to itself; [] = none."""
    ways: dict[str, list[str]] = {start: []}
    queue = [start]
    for name in queue:
        for target in sorted(graph[name]):
            if target == start:
                return ways[name]
            if target not in ways:
                ways[target] = [*ways[name], target]
                queue.append(target)
    return []


def torch_faults(sources: Sources, without: tuple[str, ...] = WITHOUT_TORCH) -> list[str]:
    """A sentence for every module in `without`, or below a package there, that loads torch when it is imported."""
    loads = {name: _loaded_by(name, text, sources) for name, text in sources.items()}
    faults = []
    for name in sources:
        if not any(name == wanted or (name.startswith(f"{wanted}.") and wanted != PACKAGE) for wanted in without):
            continue
        reached, queue = {name}, [name]
        for module in queue:
            new = {target for target in loads[module] if target in sources} - reached
            reached |= new
            queue.extend(sorted(new))
        guilty = [module for module in queue if any(target.split(".")[0] in TORCH for target in loads[module])]
        if guilty:
            faults.append(f"{name} loads torch by {guilty[0]}; a deployed model uses it without torch")
    return faults


def _loaded_by(name: str, text: str, sources: Sources) -> set[str]:
    """What a module imports on import, with the packages that hold each of them and itself."""
    targets = {target for _, target in _imports(ast.parse(text), known=set(sources), at_top=True)}
    whole = targets | {name}
    return (targets | {parent for module in whole for parent in _parents(module)}) - {name}


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


def _imports(tree: ast.AST, *, known: set[str], at_top: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full name of every imported module; with `at_top`, of those that are imported on import."""
    for node in _run_on_import(tree) if at_top else _walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield node.lineno, full if full in known else base


def _run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    for child in _walked_children(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _run_on_import(child)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """As `ast.walk`, without what only type checkers read."""
    for child in _walked_children(node):
        yield child
        yield from _walk(child)


def _walked_children(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child


def runs_as_main(tree: ast.Module) -> bool:
    """Whether a module is a command, with `if __name__ == "__main__"`."""
    return any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in tree.body)


def twin_of(module: Path) -> Path | None:
    """The test file of a module, relative to the repository; None for an __init__.py."""
    if module.name == "__init__.py":
        return None
    return Path("tests", *module.parts[1:-1], f"test_{module.name}")


def doubled_names(modules: list[Path]) -> list[str]:
    """File names that stand twice, but for those of the model families, whose folders are parallel."""
    apart = [m for m in modules if m.name not in ("__init__.py", "__main__.py") and not _is_of_family(m)]
    return sorted(name for name, times in Counter(module.name for module in apart).items() if times > 1)


def _is_of_family(module: Path) -> bool:
    return len(module.parts) == 4 and module.parts[1] == PARALLEL and module.parts[2] != "checkpoints"

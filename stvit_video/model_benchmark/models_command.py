"""The command `python -m stvit_video.benchmark models`: its settings, and what they ask for."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stvit_video.model_benchmark.deployed_rows import PRESETS, deployed_ways
from stvit_video.model_benchmark.entrant import HowMeasured
from stvit_video.model_benchmark.model_costs import choose_names
from stvit_video.model_benchmark.model_row import ModelRow
from stvit_video.model_benchmark.own_rows import own_rows
from stvit_video.model_benchmark.peer_rows import PEERS, peer_rows
from stvit_video.model_benchmark.row_ways import (
    ALL_PRECISIONS,
    BACKENDS,
    GRAPH_BACKENDS,
    RowWay,
    left_out,
    rows_in,
    ways_of,
)
from stvit_video.model_benchmark.runtime_table import runtime_tables
from stvit_video.model_benchmark.speed_report import (
    FILE_NAME,
    draw_pictures,
    head_lines,
    machine_facts,
    write_results,
)
from stvit_video.model_benchmark.speed_table import sections_of, table_of
from stvit_video.model_benchmark.text_table import print_tables
from stvit_video.model_benchmark.turn_progress import watch_turns
from stvit_video.model_benchmark.turns import Measured, measure_turns
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.provenance import load_average
from stvit_video.utils.value_kinds import (
    PATH,
    WORDS,
    YES_NO,
    count_or_grid,
    one_of,
    positive_number,
    several,
    sizes,
    whole,
)

WORD = "models"
NAMES = ("stvit_video_deit_small", "stvit_deit_small", "stvit_swin_tiny")
MODELS = Command(
    prog="python -m stvit_video.benchmark",
    word=WORD,
    summary="How quick models are on this CPU: ours, dense and with few tokens, beside those of other libraries.",
    settings=(
        Setting(
            name="names",
            kind=WORDS,
            help="ours, or shell patterns; dense models are added",
            default=NAMES,
        ),
        Setting(
            name="peers",
            kind=WORDS,
            help="peers or libraries as listed below, shell patterns, or none",
            default_words="those of the same kind",
        ),
        Setting(
            name="generate_at",
            kind=several(whole(low=1)),
            help="blocks before the tokens are generated, a row each",
            default_words="1,2,4 for DeiT, else the model's",
        ),
        Setting(
            name="num_tokens",
            kind=several(sizes(max_axes=3)),
            help="semantic tokens, counts or grids such as 4x4x4, a row each",
            default_words="each model's",
        ),
        Setting(
            name="reducers",
            kind=several(one_of(sorted(REDUCERS), sign="NAME")),
            help=f"what makes the few tokens, a row each: {', '.join(sorted(REDUCERS))}",
            default=("semantic", "tome"),
        ),
        Setting(name="num_frames", kind=whole(low=1), help="frames of a clip", default=16),
        Setting(name="image_size", kind=sizes(max_axes=2), help="pixels of a view, 224 or 224x160", default=(224,)),
        Setting(name="batch_size", kind=several(whole(low=1)), help="inputs of a pass, a table each", default=(1, 8)),
        Setting(
            name="precision",
            kind=several(one_of(ALL_PRECISIONS, sign="NAME")),
            help="fp32; bf16, by autocast or in OpenVINO; int8, in OpenVINO alone",
            default=("fp32",),
        ),
        Setting(
            name="backend",
            kind=several(one_of(BACKENDS, sign="NAME")),
            help="eager; compile: torch.compile; onnx, openvino: exported, on ONNX Runtime and OpenVINO",
            default=("eager",),
        ),
        Setting(
            name="preset",
            kind=one_of(PRESETS),
            help="rows that are chosen already: deployed = exported models beside eager ones",
            excludes=("names", "peers", "generate_at", "num_tokens", "reducers", "precision", "backend", "train"),
        ),
        Setting(name="train", kind=YES_NO, help="measure training steps: forward, backward, AdamW", default=False),
        Setting(name="rounds", kind=whole(low=1), help="turns of each row", default=3),
        Setting(name="seconds", kind=positive_number(), help="CPU time of a turn, and one pass at least", default=1.0),
        Setting(name="threads", kind=whole(low=1), help="that torch may use; CPU time counts for 1", default=1),
        Setting(name="out", kind=PATH, help="folder for the results", default=Path("outputs/benchmark_models")),
    ),
    examples=(
        "python -m stvit_video.benchmark models",
        "python -m stvit_video.benchmark models names=stvit_video_deit_small peers=swin3d_t,mvit_v2_s batch_size=1",
        "python -m stvit_video.benchmark models names='stvit_deit_*' peers=timm num_tokens=16 precision=fp32,bf16",
        "python -m stvit_video.benchmark models names=stvit_video_deit_small peers=none train=true",
        "python -m stvit_video.benchmark models names=stvit_video_deit_small peers=none backend=eager,onnx,openvino",
        "python -m stvit_video.benchmark models preset=deployed batch_size=1",
    ),
    notes=f"Peers: {', '.join(PEERS)}.\nLibraries: {', '.join(dict.fromkeys(one.library for one in PEERS.values()))}.\n"
    "A peer whose library is not installed is a row that says so. Peers have random weights: nothing is "
    "downloaded.\nExported models take what eager ones take. Their export is not timed.",
)


def chosen_ways(given: Given) -> list[RowWay]:
    """The rows that the settings ask for, each in every precision and by every backend.

    Raises:
        ValueError: a name that no model and no peer has, no backend with such a precision, or a training on a runtime
            that has none.
    """
    if given.preset is not None:
        return deployed_ways(**_size_of(given))
    if given.train and (graphs := [name for name in given.backend if name in GRAPH_BACKENDS]):
        raise ValueError(f"backend={graphs[0]} runs no training steps; leave it out, or train=true")
    return ways_of(rows_of(given), precisions=given.precision, backends=given.backend)


def rows_of(given: Given) -> list[ModelRow]:
    """The rows that the settings ask for, ours before peers.

    Raises:
        ValueError: a name that no model and no peer has.
    """
    size = _size_of(given)
    tokens = [count_or_grid(grid) for grid in given.num_tokens or ()]
    ours = own_rows(
        choose_names(given.names) if given.names else [],
        **size,
        places=given.generate_at,
        token_counts=tokens or None,
        reducers=given.reducers,
    )
    rows = {row.label: row for row in [*ours, *peer_rows(given.peers, ours, **size)]}
    if not rows:
        raise ValueError("there is nothing to measure; give names=stvit_video_deit_small, or peers=swin3d_t")
    return sorted(rows.values(), key=lambda row: not row.is_ours)


def print_models(given: Given) -> int:
    """Measure, print and write what `models` asks for; gives the exit status, 1 where no row could be measured.

    Raises:
        ValueError: a name that no model and no peer has.
        OSError: the results can't be written.
    """
    ways, folder = chosen_ways(given), given.out
    how = HowMeasured(
        batch_sizes=tuple(sorted(set(given.batch_size))),
        seconds=given.seconds,
        threads=given.threads,
        is_training=given.train,
    )
    folder.mkdir(parents=True, exist_ok=True)  # before hours are spent
    facts = machine_facts(load_before=load_average())
    settings = {name: str(value) if isinstance(value, os.PathLike) else value for name, value in vars(given).items()}

    def keep(measured: Measured) -> None:
        write_results(folder, measured, facts=facts, how=how, settings=settings)

    num_steps = len(rows_in(ways)) + given.rounds * (1 + len(ways))
    with watch_turns(num_steps=num_steps) as tell, TemporaryDirectory(prefix="graphs_", dir=folder) as graphs:
        measured = measure_turns(ways, how=how, rounds=given.rounds, graph_folder=Path(graphs), tell=tell, keep=keep)
    results = write_results(folder, measured, facts=facts, how=how, settings=settings)
    print("\n".join(head_lines(facts, measured, how)))
    if absent := left_out(precisions=given.precision, backends=given.backend):
        print(f"not measured, as there is none: {', '.join(absent)}")
    print()
    print_tables([*map(table_of, sections_of(results)), *runtime_tables(results)], is_terminal=sys.stdout.isatty())
    print("\n" + "\n".join(map(str, [folder / FILE_NAME, *draw_pictures(folder, results)])))
    return int(all(row.failure for row in results))


def _size_of(given: Given) -> dict[str, Any]:
    """The size of clips and images, as functions that make rows take it."""
    sides = given.image_size
    return {"num_frames": given.num_frames, "image_size": sides * 2 if len(sides) == 1 else sides}

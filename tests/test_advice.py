"""What errors advise can be done: each setting, option and switch that a sentence of the package names is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import stvit_video
from stvit_video.config.unknown_keys import known_settings

PACKAGE = Path(stvit_video.__file__).parent
FILES = sorted([*PACKAGE.rglob("*.py"), *PACKAGE.parent.joinpath("scripts").glob("*.py")])
OF_OTHERS = {  # switches of Hydra, docker, torchrun and pip that sentences name
    *("--cfg", "--hydra-help", "--config-dir", "--config-path", "--help", "--debug"),
    *("--shm-size", "--ipc", "--nnodes", "--nproc_per_node", "--ntasks-per-node"),
}
ELSEWHERE = {  # what is no setting and no parameter of ours, and is there
    *("max_shard_size", "model.save_pretrained", "hidden_act"),  # of transformers
    *("scale", "setsar"),  # of ffmpeg
    *("mmax", "mstd"),  # sections of augment.rand_augment
    *("experiment", "model.set_num_tokens", "model.set_generate_at"),  # of conf/, and of our models
    "model.num_classes",  # of which a sentence says that it can't be set
}


def sentences(file):
    """(line, text) of every string of a file that has a space and is no docstring; values in an f-string are {}."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inner = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in inner | alone:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if " " in text and "\n" not in text and not text.startswith("<"):  # HTML
            yield node.lineno, text


@cache
def names():
    """All that can be set: settings of Hydra's commands, of the others, and parameters and fields in Python."""
    settings = set().union(*(known_settings(command) for command in ("train", "evaluate", "doctor")))
    return {name.rpartition(".")[2] for name in settings} | settings | ELSEWHERE | declared()[0]


@cache
def declared():
    """Names of parameters, fields and settings, and switches, as all files declare them; each is read once."""
    found, switches = set(), set(OF_OTHERS)
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Setting":
                found |= {ast.literal_eval(word.value) for word in node.keywords if is_text(word)}
            elif isinstance(node, ast.Call) and is_switch(node):
                switches.add(f"--{node.args[0].value}")
    return found, switches


def is_text(word):
    return word.arg == "name" and isinstance(word.value, ast.Constant)


def is_switch(call):
    return getattr(call.func, "id", "") == "Switch" and bool(call.args) and isinstance(call.args[0], ast.Constant)


def unknown_in(text):
    """What a sentence names and nobody has."""
    dotted = re.findall(
        r"(?<![\w/.{<\[-])((?:data|model|optim|trainer|augment|protocol|distill|sweep)\.[a-z_]+)\b(?!\.)", text
    )
    bare = re.findall(r"(?<![\w/.{}<\[-])([a-z][a-z_]+)=(?!=)", text)
    given = re.findall(r"(?<![\w-])(--[a-z][a-z_-]+)", text)
    return [name for name in (*dotted, *bare) if name not in names()] + [
        name for name in given if name not in declared()[1]
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE.parent).as_posix())
def test_what_a_sentence_names_is_there(file):
    odd = [f"line {line}: {name} in {text!r}" for line, text in sentences(file) for name in unknown_in(text)]
    assert not odd, "\n".join(odd)


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("lower data.batch_sise", ["data.batch_sise"]),
        ("cut them with --transcode", ["--transcode"]),
        ("use pooling='mean', or pool=mean", ["pooling"]),
        ("draws it: python -m stvit_video.sweep DIR --measure", []),
        ("lower data.batch_size, num_workers=0", []),
    ],
)
def test_the_check_itself(text, odd):
    assert unknown_in(text) == odd

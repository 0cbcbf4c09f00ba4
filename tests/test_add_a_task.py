"""docs/develop/add_a_task.md beside the code: methods, files, and where tasks are listed."""

import inspect
import re
from pathlib import Path
from typing import get_args

from stvit_video.settings.paths import CONF_DIR
from stvit_video.settings.task_kinds import TASK_SETTINGS
from stvit_video.tasks.task import Task
from stvit_video.tasks.task_list import TASKS
from stvit_video.utils.choices import TaskName

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "develop" / "add_a_task.md").read_text(encoding="utf-8")
COMPARED = re.compile(r"\btask(_name)?(\"\])? *(==|!=|in \()")  # settings.task == "instance", values["task"] in (...)


def test_the_page_tells_every_question_of_a_task():
    told = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    methods = [name for name, value in vars(Task).items() if inspect.isfunction(value) and not name.startswith("_")]
    assert told == ["settings", *methods]


def test_the_files_that_the_page_names_are_there():
    files = re.findall(r"`((?:stvit_video|conf)/[\w/.]+)`", PAGE)
    assert len(files) > 15
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_every_list_of_tasks_has_the_same():
    conf = {path.stem for path in Path(CONF_DIR, "task").glob("*.yaml")}
    assert set(TASKS) == set(TASK_SETTINGS) == set(get_args(TaskName)) == conf
    assert {name: task.settings for name, task in TASKS.items()} == dict(TASK_SETTINGS)


def test_commands_and_runs_compare_no_names_of_tasks():
    package = ROOT / "stvit_video"
    files = [*package.glob("*.py"), *(path for room in ("runs", "sweeps") for path in (package / room).rglob("*.py"))]
    assert len(files) > 25
    assert [path.name for path in files if COMPARED.search(path.read_text(encoding="utf-8"))] == []
    assert COMPARED.search('if settings.task == "detection":')
    assert COMPARED.search('values["task"] in ("instance",)')

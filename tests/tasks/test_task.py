import inspect

import pytest

from stvit_video.tasks.task import Task
from stvit_video.tasks.task_list import TASKS

PROMISED = {
    name: inspect.signature(one) for name, one in vars(Task).items() if inspect.isfunction(one) and name[0] != "_"
}


@pytest.mark.parametrize("name", TASKS)
def test_each_task_does_all_that_a_task_does(name):
    for method, promised in PROMISED.items():
        own = inspect.signature(getattr(type(TASKS[name]), method))
        assert list(own.parameters) == list(promised.parameters), method
        assert [one.kind for one in own.parameters.values()] == [one.kind for one in promised.parameters.values()]

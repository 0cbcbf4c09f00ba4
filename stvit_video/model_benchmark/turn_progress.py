"""How far a comparison has come: a bar on a terminal, else a line for each step, which a log file keeps readable."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

FORMAT = "{l_bar}{bar:20}{r_bar}"


@contextmanager
def watch_turns(*, num_steps: int) -> Iterator[Callable[[str], None]]:
    """Show the progress on standard error.

    Args:
        num_steps: calls that will come.

    Yields:
        What is to be called before each step, with what it is.
    """
    if not sys.stderr.isatty():
        yield lambda text: print(text, file=sys.stderr, flush=True)
        return
    with tqdm(total=num_steps, file=sys.stderr, leave=False, dynamic_ncols=True, bar_format=FORMAT) as bar:

        def tell(text: str) -> None:
            bar.update(int(bool(bar.desc)))  # the step before is over
            bar.set_description(text)

        yield tell

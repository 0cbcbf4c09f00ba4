"""Start a command that Hydra configures: quote its arguments, and report its errors in one sentence."""

import os
import re
import sys
from collections.abc import Callable, Sequence

from hydra.errors import HydraException


def quote_patterns(arguments: Sequence[str]) -> list[str]:
    """Add the quotes that Hydra wants around braces, and around overrides inside a value, to command line arguments.

    For example of `data.shards=a/{000..099}.tar` and `sweep.also=model=video_deit_tiny`, which a shell has unquoted.
    """
    texts = [re.sub(r"^(data\.(?:shards|val_shards|val)=)([^'\"]*\{[^'\"]*)$", r'\1"\2"', text) for text in arguments]
    return [re.sub(r"^(sweep\.also=)([^'\"\[][^']*)$", r"\1'\2'", text) for text in texts]


def run_command(main: Callable[[], None]) -> None:
    """Run a `hydra.main`. A wrong argument, or a run folder that Hydra can't make, ends the process with one sentence.

    Args:
        main: it is called without arguments and reads the command line.
    """
    sys.argv[1:] = quote_patterns(sys.argv[1:])
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises its errors and prints no traceback of its own
    try:
        main()
    except HydraException as error:
        cause = f"\n{error.__cause__}" if error.__cause__ else ""
        sys.exit(f"error: {error}{cause}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'a file'} can't be written or read ({error.strerror or error})")

"""How every command ends: the sentence of an error, its traceback with --debug, and the exit status.

| status | the command |
|---|---|
| 0 | is done |
| 1 | failed |
| 2 | was given a wrong, unknown or missing setting |
| 128 + n | was stopped by signal n: 130 Ctrl-C, 138 SIGUSR1, 143 SIGTERM; 141 = nobody reads its output (`| head`) |
"""

import signal
import sys
import traceback
from collections.abc import Callable, Collection, Sequence

from stvit_video.utils.child_processes import end_child_processes
from stvit_video.utils.compat import end_progress_bars
from stvit_video.utils.console import CLOSED, OutputClosed, finish_output, prepare_output
from stvit_video.utils.open_files import OpenFilesError, is_of_open_files, open_files_sentence, release_files
from stvit_video.utils.setting_words import as_settings

DONE, FAILED, WRONG_SETTING = 0, 1, 2
INTERRUPTED = 128 + signal.SIGINT
DEBUG = "--debug"
FILES_FOLLOW = "--"  # everything behind it is a file

Errors = tuple[type[Exception], ...]


class CommandEnd(SystemExit):
    """An error on its way through a library that would catch it, or tell it in its own way.

    Attributes:
        error: what `exit_status` tells in its place.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(FAILED)
        self.error = error


def exit_status(
    work: Callable[[], int | None],
    *,
    debug: bool = False,
    failures: Errors = (),
    wrong_settings: Errors = (ValueError,),
    settings: Callable[[], Collection[str]] = tuple,
) -> int:
    """Do the work of a command; what a user can mend is told on stderr in one sentence, "error: ...".

    What the console can't show is printed as an escape; a command whose output nobody reads ends without a word.

    Args:
        work: gives the status of the command; None = 0.
        debug: True = the traceback of an error stands before its sentence.
        failures: errors that mean status 1, beside OSError.
        wrong_settings: errors that mean status 2 unless they are `failures`, too.
        settings: gives the names of the command's settings, in which its errors are told.

    Returns:
        The exit status. Other errors are bugs and pass through.
    """
    prepare_output()
    try:
        status = _status(work, debug=debug, failures=failures, wrong_settings=wrong_settings, settings=settings)
    except OutputClosed:
        status = CLOSED
    except SystemExit:
        finish_output()
        raise
    return status if finish_output() else CLOSED


def _status(
    work: Callable[[], int | None],
    *,
    debug: bool,
    failures: Errors,
    wrong_settings: Errors,
    settings: Callable[[], Collection[str]],
) -> int:
    told: Errors = (*failures, *wrong_settings, OSError)
    try:
        return work() or DONE
    except KeyboardInterrupt:
        end_child_processes()
        return INTERRUPTED
    except OutputClosed:
        end_child_processes()
        raise
    except CommandEnd as end:
        error = end.error
    except SystemExit as stop:
        if isinstance(stop.__context__, KeyboardInterrupt):  # Lightning ends with status 1 after Ctrl-C
            end_child_processes()
            return INTERRUPTED
        raise
    except Exception as raised:
        if not isinstance(raised, told) and not is_of_open_files(raised):
            raise
        error = raised
    end_child_processes()  # while the traceback still holds their loader, which would wait for each
    end_progress_bars()
    if debug:
        traceback.print_exception(error)
    print(f"error: {as_settings(sentence_of(error), settings())}", file=sys.stderr)
    if is_of_open_files(error):
        release_files(error)
        return FAILED
    if isinstance(error, failures):
        return FAILED
    return WRONG_SETTING if isinstance(error, wrong_settings) else FAILED


def sentence_of(error: Exception) -> str:
    """The message of an error; of the system's own ones the file that could not be used, and why.

    Where too many files are open, it is no fault of the file: the sentence tells the limit.
    """
    if not isinstance(error, OpenFilesError) and is_of_open_files(error):
        return open_files_sentence()
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename} can't be written or read ({error.strerror})"
    return str(error)


def take_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The words of a command line without --debug, and whether it was there; behind "--" it is a file."""
    words = list(arguments)
    end = words.index(FILES_FOLLOW) if FILES_FOLLOW in words else len(words)
    return [word for word in words[:end] if word != DEBUG] + words[end:], DEBUG in words[:end]

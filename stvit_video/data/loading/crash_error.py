"""The error of a loader process that was ended from outside; commands name it without loading torch."""


class WorkerCrashError(RuntimeError):
    """A loader process was ended from outside; the message names the video that it was reading.

    Args:
        message: the sentence.
        videos: manifest positions of what the lost processes were reading, in any of the data sets; empty where that
            is not known, or where no process was lost.
        is_lost: True = a process was lost, False = there was no room.
    """

    def __init__(self, message: str, *, videos: tuple[int, ...] = (), is_lost: bool = False) -> None:
        super().__init__(message)
        self.videos = videos
        self.is_lost = is_lost

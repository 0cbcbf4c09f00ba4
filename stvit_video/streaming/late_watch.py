"""Tells once that a machine is too slow for its source: most frames were dropped for a while."""

from stvit_video.streaming.stream_step import StreamSummary

__all__ = ["LateWatch"]

WATCHED_SECONDS = 10.0
MAX_DROPPED_SHARE = 0.5  # of the chosen frames


class LateWatch:
    """Looks at the counts of a stream, `WATCHED_SECONDS` of its source after `WATCHED_SECONDS`.

    Args:
        summary: whose counts; it gets the note.
    """

    def __init__(self, summary: StreamSummary) -> None:
        self._summary = summary
        self._has_told = False
        self._begin()

    def look(self) -> None:
        """Add the note, if it is time for it."""
        summary = self._summary
        passed = summary.source_seconds - self._since
        if self._has_told or passed < WATCHED_SECONDS:
            return
        chosen, dropped = summary.frames_chosen - self._chosen, summary.frames_dropped - self._dropped
        if dropped > MAX_DROPPED_SHARE * chosen:
            self._has_told = True
            summary.add_note(
                f"the machine is too slow: {dropped} of {chosen} frames of the last {passed:.0f} s were dropped, so "
                "that windows span more time; raise stride_frames, lower target_fps, or set on_late=wait"
            )
        self._begin()

    def _begin(self) -> None:
        summary = self._summary
        self._since, self._chosen, self._dropped = summary.source_seconds, summary.frames_chosen, summary.frames_dropped

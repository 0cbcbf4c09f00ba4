"""Recognition of videos that don't end: tokens kept in a ring, sources, steps and events."""

from stvit_video.streaming.streaming_recognizer import StreamingRecognizer

__all__ = ["StreamingRecognizer"]

"""Scores of recognition over time against labelled segments: of steps, of segments, of events."""

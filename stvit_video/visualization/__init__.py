"""Detections as people see them: drawn on pictures and videos, and as lines of JSON."""

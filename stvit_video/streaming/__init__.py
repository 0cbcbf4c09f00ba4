"""Recognition of videos that don't end: tokens kept in a ring, sources, steps and events."""

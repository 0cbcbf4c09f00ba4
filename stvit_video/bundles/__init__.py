"""Deployed models: bundles that were exported, read and run without torch."""

"""Predictions of many videos: what the command line names, result files that can be gone on with, and the terminal."""

"""Spatiotemporal semantic tokens: video recognition at a fraction of the tokens."""

__version__ = "0.1.0"

"""Trained models as graphs and bundles for other runtimes."""

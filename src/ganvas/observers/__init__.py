"""Observers of a run: progress, log, previews, curves, validation, checkpoints, diagnosis and trackers.

An observer may read everything and write files, but the run's weights are bit-identical with and without observers.
"""

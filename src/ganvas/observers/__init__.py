"""What looks at a run and never touches it: progress, log, samples, curves, measures, checkpoints, trackers.

An observer may read everything and write files; the run's weights are the same, bit for bit, with all observers and
with none.
"""

"""Checkpoints of other programs, opened without running code that they may hold."""

"""Bad input of every kind for the command line, each case in a forked process of its own, its answer judged.

``python -m benchmarks.fuzz --help`` from the root of the repository. `kinds` has one file per kind of input: adding a
kind is adding a file there with a function ``make(ground, chance)``.
"""

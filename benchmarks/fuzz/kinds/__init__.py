"""One file per kind of bad input, each with ``make(ground, chance)``: it writes the input and returns the attack.

The current folder is the place of the case. Everything drawn comes from `chance`, so that a case can be made again.
"""

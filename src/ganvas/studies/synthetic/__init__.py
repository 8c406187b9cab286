"""Extra training samples: made by a conditional GAN, filtered, and judged by whether a classifier learns from them.

`ganvas.studies.synthetic.augmenting.augment` does it all, as `ganvas.studies.synthetic.settings.Settings` says.
"""

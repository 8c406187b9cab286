"""Extra training samples: made by a conditional GAN, filtered, and evaluated by what a classifier learns from them.

`ganvas.studies.synthetic.pipeline.augment` runs it all, with `ganvas.studies.synthetic.settings.SyntheticSettings`.
"""

"""The fastai learner: network, losses, precision, checkpoints, the fit."""

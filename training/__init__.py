"""Training of the ResUNet with fastai, its data, losses and per-patient evaluation. No Qt."""

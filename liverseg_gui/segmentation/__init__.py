"""From a Volume to a LabelMap. Only the modules that compute import torch; none imports Qt."""

"""Image formats other than DICOM: NIfTI, NRRD, MetaImage, and what ITK reads."""

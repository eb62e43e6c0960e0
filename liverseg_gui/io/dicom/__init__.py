"""DICOM: headers, an index of folders, stacks of slices, their geometry and their pixels."""

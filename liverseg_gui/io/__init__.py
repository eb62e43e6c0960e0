"""Files to and from core values. SimpleITK's axis order and LPS stay inside this package."""

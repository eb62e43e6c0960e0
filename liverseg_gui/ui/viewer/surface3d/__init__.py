"""The 3D view of liver and lesions."""

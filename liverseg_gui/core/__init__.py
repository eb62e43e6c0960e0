"""Values and arithmetic. Imports neither Qt nor torch nor SimpleITK."""

"""What computes a network: torch or OpenVINO, chosen by measurement, with fallbacks."""

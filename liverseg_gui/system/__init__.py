"""The program on its computer: paths, whole files, locks, temporary files, crashes, licenses."""

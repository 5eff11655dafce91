"""Data files of the recognizers and the scripts that make them; see each script for source and licence."""

"""Training data and script of the name tagger (format of the sentences: README.md here)."""

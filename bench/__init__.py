"""The measurements the README quotes, each one command.

`python -m bench` (`make bench`) compares Envoy alone with the whole gateway in one run; `python -m bench.<name>` runs the
smaller ones. Timings vary by machine and by minute: read ratios to the baseline of the same run, never absolute figures
of two runs.
"""

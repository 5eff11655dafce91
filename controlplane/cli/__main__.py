"""`python -m controlplane.cli`: the `kagami` command without the installed script."""

from __future__ import annotations

from controlplane.cli import main

main(prog_name="kagami")

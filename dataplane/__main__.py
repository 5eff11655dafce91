"""`python -m dataplane`: the data plane, configured by the environment (see `dataplane.settings`)."""

from __future__ import annotations

import os
import sys

from dataplane.settings import SettingsError, parse

# Workers are as many as cores. A numerical library that starts threads of its own in each of them makes detection
# twenty times slower under load (measured), and threads do not survive the fork. Read by the libraries on import.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> int:
    """Exit status: 0 stopped as told, 2 wrong settings, a missing spaCy pipeline among them."""
    try:
        settings = parse(os.environ)
    except SettingsError as error:
        print(f"dataplane: settings are not usable:\n{error}", file=sys.stderr)  # noqa: T201 -- nothing logs yet
        return 2
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    # Imported here so that wrong settings are told at once and not after the dictionaries are loaded.
    from dataplane.app.master import main as run

    return run(settings)


if __name__ == "__main__":
    sys.exit(main())

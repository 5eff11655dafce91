from __future__ import annotations

import os
import subprocess
import sys


def test_wrong_settings_are_told_at_once_and_with_status_2():
    env = {name: value for name, value in os.environ.items() if not name.startswith("KAGAMI_")}
    done = subprocess.run(
        [sys.executable, "-m", "dataplane"], env=env, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert "KAGAMI_LISTEN: must be set" in done.stderr
    assert "Traceback" not in done.stderr

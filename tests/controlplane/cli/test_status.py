from __future__ import annotations

import json

from support.admin import KnownAdmin, kagami


def test_status_names_the_revision_of_every_envoy(admin: KnownAdmin) -> None:
    done = kagami("status")
    assert done.exit_code == 0, done.output
    assert "control plane cp-0" in done.stdout
    assert "envoy-1" in done.stdout
    assert json.loads(kagami("status", "--json").stdout)["envoys"] == {"envoy-1": "7"}

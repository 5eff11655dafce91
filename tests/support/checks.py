"""Checks as Envoy asks them, for a request with the key of `support.snapshots`."""

from __future__ import annotations

import json
from typing import Any

from envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from support.snapshots import SECRET

CHAT = {"model": "chat", "messages": [{"role": "user", "content": "山田太郎です"}]}


def check_request(
    body: Any = CHAT, path: str = "/v1/chat/completions", method: str = "POST", **headers: str
) -> CheckRequest:
    """`headers` in Python spelling: x_kagami_user for x-kagami-user."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"authorization": f"Bearer {SECRET}"} | {name.replace("_", "-"): text for name, text in headers.items()}
    http = AttributeContext.HttpRequest(method=method, path=path, headers=fields, raw_body=raw)
    return CheckRequest(attributes=AttributeContext(request=AttributeContext.Request(http=http)))

from __future__ import annotations

from support.stack import gateway

__all__ = ["gateway"]

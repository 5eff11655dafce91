"""IP_ADDRESS: IPv4 and IPv6 addresses, validated by octet and group (RFC 791, RFC 4291)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.finding import Finding
from recognizers.folded import FoldedText

ENTITY = "IP_ADDRESS"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(rf"(?=[0-9])(?<![0-9A-Za-z.])(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9A-Za-z]|\.[0-9])")
_V6 = re.compile(r"(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f:]{2,39}(?![0-9A-Za-z:]))(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}")


class IpAddressFinder:
    """Finds IP addresses."""

    entities = frozenset({ENTITY})
    name = "ip_address"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        if text.folded.count(".") > 2:
            for match in _V4.finditer(text.folded):
                yield text.finding(*match.span(), ENTITY, 0.9, self.name)
        if text.folded.count(":") > 1:
            for match in _V6.finditer(text.folded):
                if _is_v6(match.group()):
                    yield text.finding(*match.span(), ENTITY, 0.9, self.name)


def _is_v6(candidate: str) -> bool:
    """Eight groups, or one `::`; three groups or more written out, so that `12::30` and times are not taken."""
    groups = candidate.split(":")
    if candidate.count("::") == 1:
        return sum(map(bool, groups)) >= 2 and len(groups) <= 8 and len(candidate) >= 6
    return len(groups) == 8 and all(groups)


def load() -> IpAddressFinder:
    """The finder."""
    return IpAddressFinder()

"""URL_CREDENTIALS: user and password in a URL's authority (RFC 3986 3.2.1), and secrets in its query.

The whole `user:password@` is reported, without host, so that a masked URL stays readable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.finding import Finding
from recognizers.folded import FoldedText

ENTITY = "URL_CREDENTIALS"
_USERINFO = re.compile(r"(?<=://)[^\s/@:?#\"'<>]{0,128}:[^\s/?#\"'<>]{1,256}(?=@)")
_QUERY = re.compile(
    r"(?<=[?&])(?:access_token|api_?key|apikey|auth|client_secret|key|passw(?:or)?d|pwd|secret|sig|signature|token|X-Amz-Signature)"
    r"=(?P<value>[^\s&#\"'<>]{6,512})",
    re.IGNORECASE,
)


class UrlCredentialsFinder:
    """Finds user names with passwords, and secrets, in URLs."""

    entities = frozenset({ENTITY})
    name = "url_credentials"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        if "://" not in text.folded:
            return
        for match in _USERINFO.finditer(text.folded):
            yield text.finding(*match.span(), ENTITY, 0.95, self.name)
        for match in _QUERY.finditer(text.folded):
            yield text.finding(*match.span("value"), ENTITY, 0.85, self.name)


def load() -> UrlCredentialsFinder:
    """The finder."""
    return UrlCredentialsFinder()

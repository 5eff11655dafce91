"""API_KEY: keys, tokens and private keys by the shapes their issuers publish, and secrets after their label.

Sources: token formats documented by OpenAI, Anthropic, AWS, Google, GitHub, GitLab, Slack, Stripe, npm, PyPI, Hugging
Face, SendGrid, Twilio; JWT: RFC 7519; PEM: RFC 7468. Each prefix is also the prefilter; what stands left of it is checked after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.finding import Finding
from recognizers.folded import FoldedText

ENTITY = "API_KEY"
_KEY = re.compile(
    r"(?:sk-(?:ant-|proj-|svcacct-|or-v1-|kagami-)?[0-9A-Za-z_-]{12,200}"
    r"|[srp]k_(?:live|test)_[0-9A-Za-z]{10,200}|whsec_[0-9A-Za-z]{16,100}"
    r"|(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}"
    r"|AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,300}|GOCSPX-[0-9A-Za-z_-]{20,60}"
    r"|gh[pousr]_[0-9A-Za-z]{20,255}|github_pat_[0-9A-Za-z_]{20,255}|glpat-[0-9A-Za-z_-]{20,64}"
    r"|xox[abeoprs]-[0-9A-Za-z-]{10,200}|xapp-[0-9A-Za-z-]{10,200}"
    r"|npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_-]{16,300}|hf_[0-9A-Za-z]{20,60}"
    r"|SG\.[0-9A-Za-z_-]{16,32}\.[0-9A-Za-z_-]{16,64}|SK[0-9a-f]{32}|AC[0-9a-f]{32}"
    r"|eyJ[0-9A-Za-z_-]{8,2000}\.eyJ[0-9A-Za-z_-]{8,4000}\.[0-9A-Za-z_-]{0,1000}"
    r")(?![0-9A-Za-z])"
)
# The least that all of them have in a row.
_LONG = re.compile("[0-9A-Za-z_-][0-9A-Za-z_-]{10}")
_EDGE = re.compile("[0-9A-Za-z]")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]{0,8000}(?:-----END [A-Z0-9 ]{1,40}-----)?"
)
_LABELLED = re.compile(
    r"(?:api[_ -]?key|access[_ -]?(?:key|token)|secret(?:[_ -]?(?:access[_ -]?)?key)?|client[_ -]?secret"
    r"|auth[_ -]?token|bearer|password|passwd|pwd|パスワード|パスコード|秘密鍵|アクセストークン|apiキー|暗証番号)"
    r"(?:[\"'] ?)?(?: ?[:=] ?| (?=[0-9A-Za-z_./+-]{20})|は ?)[\"'「]?(?P<secret>[!#-&(-~]{6,200}(?<![,;)}\\]]))"
)
_HINT = re.compile("key|token|secret|bearer|passw|pwd|パスワード|パスコード|秘密鍵|トークン|キー|暗証")


class ApiKeyFinder:
    """Finds keys, tokens and private keys."""

    entities = frozenset({ENTITY})
    name = "api_key"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for match in _KEY.finditer(text.folded) if _LONG.search(text.folded) else ():
            if _EDGE.match(text.folded, match.start() - 1) and match.start():
                continue
            yield text.finding(*match.span(), ENTITY, 0.95, self.name)
        if "-----BEGIN " in text.folded:
            for match in _PRIVATE_KEY.finditer(text.folded):
                yield text.finding(*match.span(), ENTITY, 0.99, self.name)
        if _HINT.search(text.lowered):
            for match in _LABELLED.finditer(text.lowered):
                if _secret_like(match["secret"]):
                    yield text.finding(*match.span("secret"), ENTITY, 0.7, self.name)


def _secret_like(value: str) -> bool:
    """A secret has digits and letters or is long; `password=changeme` style words and placeholders stay."""
    if value.startswith(("<", "${", "{{", "***", "xxx", "your", "env:", "file:", "os.", "process.")):
        return False
    has_digit, has_letter = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    return (has_digit and has_letter) or len(value) >= 20


def load() -> ApiKeyFinder:
    """The finder."""
    return ApiKeyFinder()

"""Sends one signed webhook over HTTP.

Guarantees: the connection goes to an address that was looked at (`webhooks.allowed`), never to one resolved a second
time; certificates are verified for the name; no redirect is followed, no proxy of the environment used, no answer
read; everything together takes at most `TOTAL_SECONDS`. Neither URL nor secret stands in an error.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import httpx

from controlplane.domain.webhooks import WebhookError, allowed

TOTAL_SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 3.0
_MOST_ADDRESSES: Final = 3
"""Of one name that are tried, one after the other."""


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """Addresses as the system knows them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class WebhookClient:
    """Keeps no connection between webhooks: they are rare. `context`: whom to trust, else the system's authorities;
    `resolve`: a name's addresses, the first to be tried first.
    """

    def __init__(self, context: ssl.SSLContext | None = None, *, resolve: Resolve = resolve) -> None:
        self._context, self._resolve = context, resolve

    async def post(self, url: str, headers: dict[str, str], content: bytes) -> int:
        """The HTTP status. Raises WebhookError (the address is not allowed), httpx.HTTPError, OSError or
        TimeoutError.
        """
        async with asyncio.timeout(TOTAL_SECONDS):
            target = httpx.URL(url)
            *others, last = await self._addresses(target)
            for address in others:
                try:
                    return await self._post(target, address, headers, content)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    continue
            return await self._post(target, last, headers, content)

    async def _post(self, target: httpx.URL, address: str, headers: dict[str, str], content: bytes) -> int:
        timeout = httpx.Timeout(TOTAL_SECONDS, connect=_CONNECT_SECONDS)
        trust = await self._trust()
        async with httpx.AsyncClient(verify=trust, timeout=timeout, follow_redirects=False, trust_env=False) as client:
            request = client.build_request(
                "POST",
                target.copy_with(host=address),
                content=content,
                headers={**headers, "host": target.netloc.decode("ascii")},
                extensions={"sni_hostname": target.host},
            )
            response = await client.send(request, stream=True)
            await response.aclose()
            return response.status_code

    async def _addresses(self, target: httpx.URL) -> Sequence[str]:
        port = target.port or (443 if target.scheme == "https" else 80)
        addresses = (await self._resolve(target.host, port))[:_MOST_ADDRESSES]
        if not addresses or not all(allowed(address, target.host) for address in addresses):
            raise WebhookError("the address of the webhook is not one webhooks may go to")
        return addresses

    async def _trust(self) -> ssl.SSLContext:
        """Read once, in a thread: it takes long enough to be felt by requests."""
        if self._context is None:
            self._context = await asyncio.to_thread(ssl.create_default_context)
        return self._context

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest
import trustme

from controlplane.simulator.server import serve, tls_context
from controlplane.simulator.service import Service


async def test_tls_offers_both_protocols(tmp_path: Path) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    server = await serve(Service(), "127.0.0.1", 0, tls_context(tmp_path / "cert.pem", tmp_path / "key.pem"))
    async with httpx.AsyncClient(verify=context, trust_env=False) as http:
        reply = await http.get(f"https://localhost:{server.port}/_sim/health")
    assert reply.json() == {}
    reader_protocol = await _alpn(server.port, context)
    assert reader_protocol == "h2"
    await server.close()


async def _alpn(port: int, context: ssl.SSLContext) -> str | None:
    import asyncio

    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    chosen = writer.get_extra_info("ssl_object").selected_alpn_protocol()
    writer.close()
    return str(chosen)


async def test_a_taken_port_is_an_error() -> None:
    server = await serve(Service(), "127.0.0.1", 0)
    with pytest.raises(OSError):
        await serve(Service(), "127.0.0.1", server.port)
    await server.close()

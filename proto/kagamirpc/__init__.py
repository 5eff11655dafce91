"""A gRPC server for one kind of peer: the Envoy beside us.

Envoy asks ext_authz once per request and ext_proc several times; with grpc.aio the transport alone costs more processor
time than the decision (`python -m bench.rpc` prints the ratio). This package speaks just enough HTTP/2 (RFC 9113) and
gRPC over HTTP/2 for those two calls and for health checks, and hands servicers bytes in and bytes out.

    frames      wire constants and frame builders, pure
    blocks      header blocks (HPACK), looked up where they repeat
    events      what a connection tells its owner
    connection  one HTTP/2 connection as a state machine: bytes in → events, calls → bytes out; pure
    server      asyncio shell: sockets, tasks, drain
    polling     waiting for the next call awake, for who prefers that
    health      the health check of such a server
    token       the secret callers present where the network is not a unix socket; pure

Limits: unary and bidirectional methods; no compression, no TLS, no server push, no priorities. The peer is on a unix
socket or a trusted network; everything else the planes serve (admin, feed, ledger, ADS) stays on grpcio.
"""

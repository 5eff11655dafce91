"""Envoy's external processing protocol (ext_proc v3) on top of `exchange`.

`wire` maps messages to events and effects to messages, `servicer` runs one stream, `rescue` answers what went wrong
outside the session, `server` is the only module that knows gRPC.
"""

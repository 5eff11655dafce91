"""Redaction policies streamed to the data planes.

history   which versions a data plane must know now, pure
servicer  the stream
"""

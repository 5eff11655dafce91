"""Wire formats of clients and providers. Pure: bytes in, bytes out; they know neither redaction nor transport."""

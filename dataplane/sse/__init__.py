"""Server-sent events: a bounded incremental decoder and an encoder, both pure."""

"""The data plane: everything that touches what people and models say.

Envoy hands each attempt at a provider to a worker over ext_proc. `extproc` turns Envoy's messages into events,
`exchange.Session` (pure) decides, and what it decides goes back: redacted requests, redacted answers, errors. Text
lies in `dialects` (wire formats) and `redaction` (detection and replacement), both pure; `sse` cuts event streams.
`drivers` reach outside: detector, policy feed, ledger, journal, logs. `app` builds and joins.

Imports go one way: app > extproc | drivers > exchange > dialects | redaction > sse > errors.
"""

"""A provider that behaves as told: OpenAI's chat API with deterministic answers, faults on demand and a
record.

Part of the product: `kagami demo`, the end-to-end tests and the bench all talk to it, and an operator can
point a route at it to see what a change of policy would let through. Nothing here imports the rest of the
control plane.

`answers`, `behaviour`, `request` and `completion` are pure: what to say, how to misbehave, and the wire format of both.
`record` remembers what arrived. `service` joins them behind a small `Reply` port; `http1` (httptools) and
`http2` (h2) implement that port on sockets, because faults such as a reset in mid-answer or a cut inside a
UTF-8 character are made of single writes, which application servers do not let one control. `server` listens
and picks the protocol.

URLs: `http://host:port/<provider>/v1/chat/completions`: one process plays any number of providers, told apart
by the first path segment ("sim" when absent). Control: `POST /_sim/behaviour`, `GET|DELETE /_sim/records`,
`GET /_sim/totals`.
"""

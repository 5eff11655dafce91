"""The whole gateway on one machine: `kagami up`.

`layout` owns the state directory (secrets, sockets, logs, lock), `leftovers` ends what an earlier run left
behind, `postgres` prepares the embedded database, `children` keeps processes alive, `probes` asks whether a
part is ready, and `stack` puts them in order: one value `Options` in, a gateway that answers out. Production
does without all of this: it brings its own PostgreSQL, Envoy and process manager, and runs `kagami
controlplane` and `kagami dataplane`.
"""

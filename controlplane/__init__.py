"""The control plane: decides about every request, keeps the books, tells Envoy and the data planes what to
do.

    domain      pure values and decisions: keys, prices, routing, quotas, the catalogue; no I/O, time comes
    in store       PostgreSQL: schema and migrations, snapshots, LISTEN/NOTIFY, quota accounts, audit chains
    authz       Envoy's ext_authz: who may call what, how much, where the request goes admin       the
    `Admin` service: manifests applied in one transaction, budgets and audit records shown xds
    Envoy's configuration over ADS feed        redaction policies streamed to the data planes ledger
    audit entries received, requests settled, budgets leased to replicas app         the only place that
    knows all parts and joins them; `python -m controlplane` runs it settings    the environment, read once
    logs        where events go cli         the `kagami` command and the stack on one machine; talks to a
    running plane over gRPC simulator   a provider for demonstrations, tests and measurements

How a change travels: `Apply` writes rows → triggers raise the table's revision and notify → every replica
reads what changed into a new immutable `Snapshot` → authz decides by it at once, xDS and feed push it. How
a request travels: facts → `decide` → quota lease in memory → journal → answer; no database call on that way
in the steady state. The journal reaches the ledger afterwards, exactly once, and there what was reserved is
settled by what was used.

Replicas share nothing but PostgreSQL. Each has its own journal directory and its own leases.
"""

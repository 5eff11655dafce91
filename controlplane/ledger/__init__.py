"""The ledger: audit entries in, budgets settled, chains and records out.

record     pure: entries of one request → what is known of it and what it is charged receiver   one batch of
a journal → one transaction: chain verified and stored, records folded, quotas settled servicer   the same
over gRPC, for data planes; the control plane's own journal calls the receiver directly sweeper    what no
entry will ever end: silent requests, abandoned admissions, dead replicas' leases quota_gate admits requests
out of leased budget, in memory queries    what an administrator sees: budgets, audit records, chains
"""

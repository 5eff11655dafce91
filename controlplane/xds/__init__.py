"""Envoy's configuration: built from the snapshot, versioned by content, served over ADS, made before it is broken.

Shape. The outer listener (`gateway`) scrubs forged headers, asks authz and follows the chain authz answered. Each
provider has a hop: an internal listener of the same Envoy that redacts (ext_proc), injects the credential and calls the
provider's cluster. Nothing but this package knows Envoy's configuration; `servicer.Xds` is its only entry point.

Conventions with the other parts: retries, live providers and timeouts in `routes`; header names in `headers`; Envoy's
own error answers in `replies`; secrets in `secrets`; the bootstrap file in `bootstrap`.
"""

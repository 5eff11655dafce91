"""The data plane as processes: `master` loads what all share and watches over workers, `worker` is one of them.

The only package that builds and joins.
"""

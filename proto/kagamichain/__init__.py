"""The audit chain both planes share: its format, its verification, its journal on disk and its way to the
ledger.

`chain` and `verify` are pure and enough to check an exported chain anywhere; `journal` keeps a chain on
local disk; `shipper` moves it to the ledger. Entries are opaque bytes here: this package knows no protobuf.
"""

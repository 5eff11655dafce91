"""Redaction: texts of one exchange in, what may leave out. Pure: no I/O, no clock, no detector imported.

`policy` compiles what a tenant wants; `replace.Redaction` is one exchange: request texts whole, response texts whole
or through lanes, placeholders restored. Below it: `lanes` (plain text, JSON text), `stream` (hold-back), `cuts` (where
a text may be cut), `placeholders`, `terms`, `spans` (what a detector answers), `cache` (findings of repeated texts).
"""

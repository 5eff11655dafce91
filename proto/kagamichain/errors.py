"""The one error of a journal."""

from __future__ import annotations


class JournalError(Exception):
    """The journal cannot take or keep entries.

    The message says where, why and what to do; it never holds an entry.
    """

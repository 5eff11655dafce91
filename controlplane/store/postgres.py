"""How this plane reaches PostgreSQL: one SQLAlchemy engine per process, psycopg 3 underneath.

Callers say `postgresql://…`, the form every PostgreSQL tool knows; the driver is our business. Statements
that outlive `statement_timeout` are cancelled by the server, so that a stuck database never holds a request
or a lock for long.
"""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def sqlalchemy_url(database_url: str) -> URL:
    """The same database under SQLAlchemy's name for the psycopg driver.

    Raises ValueError when the URL is no PostgreSQL URL (its password is not repeated).
    """
    try:
        url = make_url(database_url)
    except Exception:  # noqa: BLE001 - SQLAlchemy's message would repeat the password
        raise ValueError("not a database URL: expected postgresql://user:password@host:port/database") from None
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise ValueError(f"{url.get_backend_name()} is not supported: expected a postgresql:// URL")
    return url.set(drivername="postgresql+psycopg")


def create_engine(database_url: str, *, pool_size: int = 8, statement_timeout_ms: int = 10_000) -> AsyncEngine:
    """An engine for the running event loop; opens no connection yet. Dispose of it at the end."""
    return create_async_engine(
        sqlalchemy_url(database_url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=5,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "kagami-controlplane",
            "options": f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC",
        },
    )

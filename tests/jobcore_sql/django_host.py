"""Django as a host whose rows are in a database on PostgreSQL."""

from __future__ import annotations

from typing import Any

from django import setup
from django.conf import settings
from django.db import connection, connections, transaction
from sqlalchemy import make_url


def configure(url: str) -> tuple[Any, Any]:
    """Let the database of *url* be Django's; its `transaction` and `connection`."""
    parts = make_url(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.database,
        "USER": parts.username,
        "HOST": parts.host,
        "PORT": parts.port,
    }
    if not settings.configured:
        settings.configure()
        setup()
    connections.settings = connections.configure_settings({"default": database})
    return transaction, connection

"""The migrations, oldest first, each with the tables as they were then.

Besides what Alembic asks for, each says by `compatible_since` with which revision those
releases begin that can work with what it leaves: its own, or an earlier one where it
only adds what they need not know of.
"""

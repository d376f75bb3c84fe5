"""A shop on Django whose orders are confirmed by jobs, in one PostgreSQL database.

export DATABASE_URL=postgresql://user@host/database
cd examples/django_shop
uv run manage.py migrate --run-syncdb
uv run manage.py work &
uv run manage.py runserver
curl --data item=book localhost:8000/orders
"""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    execute_from_command_line(sys.argv)

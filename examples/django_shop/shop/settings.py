"""Settings, which are those of any project on PostgreSQL."""

import os
from urllib.parse import unquote, urlsplit

_place = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _place.path.removeprefix("/"),
        "USER": unquote(_place.username or ""),
        "PASSWORD": unquote(_place.password or ""),
        "HOST": _place.hostname or "",
        "PORT": str(_place.port or ""),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["shop"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True

ALLOWED_HOSTS = ["localhost"]
SECRET_KEY = "of an example"  # noqa: S105 - nothing is signed with it

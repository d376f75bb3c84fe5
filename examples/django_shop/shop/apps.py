"""The app, whose jobs have tables of their own."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ShopConfig(AppConfig):
    name = "shop"

    def ready(self) -> None:
        from shop.jobs import make_tables  # noqa: PLC0415 - once Django is set up

        post_migrate.connect(make_tables, sender=self)

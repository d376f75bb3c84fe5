"""An order and the mail that confirms it: stored together, or neither of them.

    export JOBCORE_STORE_URL=postgresql+asyncpg://user@host/database
    uv run examples/orders.py

The order is a row of the service's own, written with SQLAlchemy's ORM; the mail is a
job. One commit stores both. The handler that ships the order commits what it did and
its own completion together, too, so that no crash makes it ship twice.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from jobcore import (
    JobContext,
    JobcoreConfig,
    JobManager,
    Tasks,
    TransactionalStore,
    Worker,
    open_manager,
)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "example_orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(String(100))
    shipped: Mapped[bool] = mapped_column(default=False)


tasks = Tasks()


@tasks.task()
async def confirm(to: str, item: str) -> str:
    return f"told {to} that {item} was ordered"


async def main() -> None:
    config = JobcoreConfig()
    async with open_manager(config=config) as jobs:
        jobs.require(TransactionalStore)  # SQLite, Redis and memory are refused here
        await shop(jobs, create_async_engine(config.store_url))


async def shop(jobs: JobManager, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)

    @tasks.task(context=True)
    async def ship(context: JobContext, order_id: int) -> None:
        async with AsyncSession(engine) as session, session.begin():
            order = await session.get_one(Order, order_id)
            order.shipped = True
            await session.flush()
            await context.complete(session)

    async with Worker(jobs, tasks):
        async with AsyncSession(engine) as session, session.begin():
            order = Order(item="a book")
            session.add(order)
            await session.flush()
            transaction = jobs.using(session)
            mail = await transaction.submit(confirm.job("ada@example.org", order.item))
            parcel = await transaction.submit(ship.job(order.id))
            order_id = order.id
        print(await jobs.result(mail))
        await jobs.result(parcel)

    async with AsyncSession(engine) as session:
        shipped = (await session.get_one(Order, order_id)).shipped
        print("shipped" if shipped else "not shipped")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())

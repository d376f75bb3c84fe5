"""What Redis calls slow: the scripts in its log of commands."""

from __future__ import annotations

from urllib.parse import urlsplit

from redis.asyncio import Redis

from jobcore_redis.scripts import names, script


async def slow(url: str, since: float) -> str:
    """How many scripts were slower than the server's own bound *since* an instant, as
    far as its log goes back, and how long the slowest took."""
    place = urlsplit(url)._replace(query="").geturl()
    async with Redis.from_url(place) as client:
        settings = await client.config_get("slowlog-*")
        bound = int(settings["slowlog-log-slower-than"] or 0)
        entries = await client.slowlog_get(10_000)
    taken = [
        (each["duration"] / 1e3, _name(each["command"]))
        for each in entries
        if each["start_time"] >= since and each["command"].startswith(b"EVAL")
    ]
    longest = "; the slowest, {1}, took {0:.1f} ms".format(*max(taken)) if taken else ""
    return f"scripts slower than {bound / 1e3:g} ms: {len(taken)}{longest}"


def _name(command: bytes) -> str:
    """Which script a call was of, where it was called by its digest."""
    shas = {
        script(name, flagged=flagged).sha: name
        for name in names()
        for flagged in (False, True)
    }
    return shas.get(command.split()[1].decode(), "one of unknown digest")

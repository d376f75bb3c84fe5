"""The Redis store of jobcore."""

from jobcore_redis.acl import acl_rules
from jobcore_redis.options import RedisOptions
from jobcore_redis.problems import NotReplicatedError
from jobcore_redis.store import RedisJobStore

__all__ = ["NotReplicatedError", "RedisJobStore", "RedisOptions", "acl_rules"]

"""Where mutants must be noticed: the files of tests."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Places

_CORE: Final = "tests/jobcore/test_{}.py"
MEMORY: Final = _CORE.format("memory")
SQLITE: Final = "tests/jobcore_sql/test_store.py"
POSTGRESQL: Final = "tests/jobcore_sql/test_postgresql.py"
MYSQL: Final = "tests/jobcore_sql/test_mysql.py"
MYSQL_PLANS: Final = "tests/jobcore_sql/test_mysql_plans.py"
MYSQL_TABLES: Final = "tests/jobcore_sql/test_mysql_tables.py"
MYSQL_TRANSACTIONS: Final = "tests/jobcore_sql/test_mysql_transactions.py"
REDIS: Final = "tests/jobcore_redis/test_redis.py"
REDIS_DELETE: Final = "tests/jobcore_redis/test_delete.py"
REDIS_MERGING: Final = "tests/jobcore_redis/test_merging.py"
REDIS_MOVING: Final = "tests/jobcore_redis/test_moving.py"
REDIS_PARTS: Final = "tests/jobcore_redis/test_parts.py"
REDIS_REPLICAS: Final = "tests/jobcore_redis/test_replicas.py"
REDIS_SCHEDULES: Final = "tests/jobcore_redis/test_schedules.py"
REDIS_SCRIPTS: Final = "tests/jobcore_redis/test_scripts.py"
POOL: Final = "tests/jobcore_sql/test_pool.py"
SINGLE: Final = "tests/jobcore_sql/test_single.py"
HOST: Final = "tests/jobcore_sql/test_host.py"
BATCHING: Final = _CORE.format("batching")
CALLS: Final = _CORE.format("calls")
CALL_TIMEOUT: Final = _CORE.format("call_timeout")
CLAIMING: Final = _CORE.format("claiming")
HEALTH: Final = "tests/jobcore/health/test_health.py"
INSTRUMENTATION: Final = _CORE.format("instrumentation")
METRICS: Final = "tests/jobcore/telemetry/test_metrics.py"
SPANS: Final = "tests/jobcore/telemetry/test_spans.py"
ENDING: Final = _CORE.format("ending")
LIFECYCLE: Final = _CORE.format("lifecycle")
MANAGER: Final = _CORE.format("default_manager")
MATCHING: Final = _CORE.format("matching")
OPERATING: Final = _CORE.format("operating")
POLLING: Final = _CORE.format("polling")
RECORD: Final = _CORE.format("record")
RECURRING: Final = _CORE.format("recurring")
REPORT: Final = _CORE.format("report")
SCHEDULE: Final = _CORE.format("schedule")
SHIELD: Final = _CORE.format("shield")
SUBMISSION: Final = _CORE.format("submission")
SUBMITTING: Final = _CORE.format("submitting")
TRANSITION: Final = _CORE.format("transition")
UPKEEP: Final = _CORE.format("upkeep")
RUN: Final = "tests/jobcore/worker/test_run.py"
SLOTS: Final = "tests/jobcore/worker/test_slots.py"
WORKER: Final = "tests/jobcore/worker/test_worker.py"
DATABASE: Final = "tests/jobcore_sql/test_database.py"
DIRECTORY: Final = "tests/jobcore_sql/test_directory.py"
SCHEDULES: Final = "tests/jobcore_sql/test_schedules.py"
CACHING: Final = "tests/jobcore/wrappers/test_caching.py"
INSTRUMENTED: Final = "tests/jobcore/wrappers/test_instrumented.py"
PARTITIONED: Final = "tests/jobcore/wrappers/test_partitioned.py"
ROUTING: Final = "tests/jobcore/wrappers/test_routing.py"
WAKE: Final = "tests/jobcore_sql/test_wake.py"


def both(*words: str) -> Places:
    """The contract as the memory store and as the SQLite store must keep it."""
    return {MEMORY: words, SQLITE: words}

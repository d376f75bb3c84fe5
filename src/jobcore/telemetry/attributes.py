"""What the attributes of spans and metrics are called, and what they say of errors."""

from __future__ import annotations

from typing import Final

SYSTEM: Final = "messaging.system"
OPERATION: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"
QUEUE: Final = "messaging.destination.name"
MESSAGE_ID: Final = "messaging.message.id"
CORRELATION_ID: Final = "messaging.message.conversation_id"
BATCH_SIZE: Final = "messaging.batch.message_count"
CLIENT: Final = "messaging.client.id"
ERROR_TYPE: Final = "error.type"

TASK: Final = "jobcore.task"
ATTEMPT: Final = "jobcore.attempt"
OUTCOME: Final = "jobcore.outcome"
STATUS: Final = "jobcore.status"
EVENT: Final = "jobcore.event"
SCHEDULE: Final = "jobcore.schedule"
VERB: Final = "jobcore.store.verb"

JOBCORE: Final = "jobcore"
LOST: Final = "lost"
"""The outcome, and the type of error, of a run whose claim was lost."""


def error_type(error: BaseException) -> str:
    """The class of *error* as conventions have it."""
    kind = type(error)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"

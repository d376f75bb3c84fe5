"""Acts on jobs, by their ids or on all that match."""

from __future__ import annotations

from functools import partial
from json import JSONDecodeError
from json import loads as from_text
from typing import Final

from jobcore.cli.acting import Act, Acting, Consent
from jobcore.cli.mistakes import MistakeError
from jobcore.cli.selection import ALL, Selection
from jobcore.cli.store import StoreUrl
from jobcore.job import Priority
from jobcore.matching import Matching

_NO_CONSENT: Final = Consent()


def cancel(
    *ids: str,
    which: Selection = ALL,
    consent: Consent = _NO_CONSENT,
    store: StoreUrl = None,
) -> int:
    """Call jobs off; of those in progress that is requested.

    Parameters
    ----------
    ids
        Of the jobs, which must all be there; a filter besides them leaves some out.
    """
    return Acting("cancel", ids, which, consent, store).act(Matching.cancel)


def retry(
    *ids: str,
    which: Selection = ALL,
    arguments: str | None = None,
    consent: Consent = _NO_CONSENT,
    store: StoreUrl = None,
) -> int:
    """Start finished jobs anew, with all their retries.

    Parameters
    ----------
    ids
        Of the jobs, which must all be there; a filter besides them leaves some out.
    arguments
        Other arguments for them, as a JSON object.
    """
    given = None if arguments is None else _object(arguments)
    act: Act = partial(Matching.retry, arguments=given)
    return Acting("retry", ids, which, consent, store).act(act)


def move(
    *ids: str,
    to: str | None = None,
    priority: int | Priority | None = None,
    which: Selection = ALL,
    consent: Consent = _NO_CONSENT,
    store: StoreUrl = None,
) -> int:
    """Give jobs that wait another queue, another priority, or both.

    Parameters
    ----------
    ids
        Of the jobs, which must all be there; a filter besides them leaves some out.
    to
        The queue that they go to.
    priority
        A number, of which the smaller goes first, or a name, such as high.
    """
    if to is None and priority is None:
        raise MistakeError("--to or --priority", "must be given")
    act: Act = partial(Matching.move, queue=to, priority=priority)
    return Acting("move", ids, which, consent, store).act(act)


def approve(
    *ids: str,
    which: Selection = ALL,
    consent: Consent = _NO_CONSENT,
    store: StoreUrl = None,
) -> int:
    """Let jobs go that are held for approval.

    Parameters
    ----------
    ids
        Of the jobs, which must all be there; a filter besides them leaves some out.
    """
    return Acting("approve", ids, which, consent, store).act(Matching.approve)


def delete(
    *ids: str,
    which: Selection = ALL,
    consent: Consent = _NO_CONSENT,
    store: StoreUrl = None,
) -> int:
    """Delete jobs and their attempts, but for those in progress.

    Parameters
    ----------
    ids
        Of the jobs, which must all be there; a filter besides them leaves some out.
    """
    return Acting("delete", ids, which, consent, store).act(Matching.delete)


def _object(text: str) -> dict[str, object]:
    try:
        found = from_text(text)
    except JSONDecodeError as error:
        raise MistakeError("--arguments", f"cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise MistakeError("--arguments", "must be a JSON object")
    return found

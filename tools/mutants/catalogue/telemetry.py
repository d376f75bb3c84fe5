"""Rules of telemetry, and of health."""

from __future__ import annotations

from typing import Final

from tools.mutants.mutant import Mutant
from tools.mutants.places import HEALTH, INSTRUMENTATION, METRICS, SPANS

_SPANS: Final = "jobcore/telemetry/spans.py"
_METRICS: Final = "jobcore/telemetry/metrics.py"
_QUEUES: Final = "jobcore/telemetry/queues.py"
_MANAGER: Final = "jobcore/default_manager.py"
_WORKER: Final = "jobcore/worker/worker.py"
_HEALTH: Final = "jobcore/health/health.py"
_REACHING: Final = "jobcore/reaching.py"

TELEMETRIES: Final = (
    Mutant(
        "telemetry: a job does not carry its trace",
        _SPANS,
        "        job.carrying(stamped[job.extra])\n",
        "        pass\n",
        {SPANS: ("below",)},
    ),
    Mutant(
        "telemetry: a trace that was given is replaced",
        _SPANS,
        "if details.traceparent in replaced:",
        "if True:",
        {SPANS: ("given",)},
    ),
    Mutant(
        "telemetry: a trace that was inherited stays",
        _SPANS,
        '{None, inherited().get("traceparent")}',
        "{None}",
        {SPANS: ("what_a_handler_does",)},
    ),
    Mutant(
        "telemetry: a run is below what was current when its worker started",
        _SPANS,
        "context=_TRACE_CONTEXT.extract(carrier),",
        "context=trace.set_span_in_context(trace.get_current_span()),",
        {SPANS: ("without_a_submit",)},
    ),
    Mutant(
        "telemetry: a span is not current",
        _SPANS,
        "token = attach(trace.set_span_in_context(span))",
        "token = attach(trace.set_span_in_context(INVALID_SPAN))",
        {SPANS: ("what_a_handler_does", "thread")},
    ),
    Mutant(
        "telemetry: faults of exporters are let out",
        "jobcore/telemetry/quietly.py",
        '        _logger.exception("telemetry failed")\n',
        "        raise\n",
        {SPANS: ("fault",)},
    ),
    Mutant(
        "telemetry: a claim that is lost is no error",
        _SPANS,
        "            _fail(span, names.LOST)\n",
        "",
        {SPANS: ("lost",)},
    ),
    Mutant(
        "telemetry: an event counts once, whatever its number",
        _METRICS,
        "self._events.add(event.number, attributes)",
        "self._events.add(1, attributes)",
        {METRICS: ("held",)},
    ),
    Mutant(
        "telemetry: every event is a claim",
        _METRICS,
        "if job is not None and event.kind is EventKind.CLAIMED:",
        "if job is not None:",
        {METRICS: ("journal",)},
    ),
    Mutant(
        "telemetry: queues are told that were not looked at",
        _QUEUES,
        "                    self._looks.pop(key, None)\n                    _logger",
        "                    _logger",
        {METRICS: ("cannot_be_looked_at",)},
    ),
    Mutant(
        "telemetry: queues are told when nobody looks any more",
        _QUEUES,
        "        finally:\n            self._looks.pop(key, None)\n",
        "        finally:\n            pass\n",
        {METRICS: ("cannot_be_looked_at",)},
    ),
    Mutant(
        "instrumentation: it leaves before what was handed in is stored",
        _MANAGER,
        "            await stack.enter_async_context(attend)\n"
        "            stack.push_async_callback(self._endings.close)\n"
        "            stack.push_async_callback(self._submitting.finish)\n",
        "            stack.push_async_callback(self._endings.close)\n"
        "            stack.push_async_callback(self._submitting.finish)\n"
        "            await stack.enter_async_context(attend)\n",
        {INSTRUMENTATION: ("attends",)},
    ),
    Mutant(
        "health: one well worker is enough",
        _HEALTH,
        "connected=self.connected and other.connected",
        "connected=self.connected or other.connected",
        {HEALTH: ("all_workers",)},
    ),
    Mutant(
        "health: a worker is connected before it was",
        _WORKER,
        "self._contact_at = -inf",
        "self._contact_at = asyncio.get_running_loop().time()",
        {HEALTH: ("never_reached",)},
    ),
    Mutant(
        "health: a worker that has died is forgotten",
        _WORKER,
        "if main.cancelled() or main.exception() is None:\n            self._leave()",
        "self._leave()\n        if main.cancelled() or main.exception() is None:\n"
        "            pass",
        {HEALTH: ("died",)},
    ),
    Mutant(
        "health: a worker that cannot start stays",
        _WORKER,
        "        except BaseException:\n            self._leave()\n            raise\n",
        "        except BaseException:\n            raise\n",
        {HEALTH: ("cannot_start",)},
    ),
    Mutant(
        "health: a store is asked again and again",
        _REACHING,
        ", patience=timedelta(0)",
        "",
        {HEALTH: ("asks_its_store",)},
    ),
)

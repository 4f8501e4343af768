"""Counters for Prometheus. Labels are few and ours: never an id, a path or anything typed."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from service.audit.cosigned import Standing
from service.wire import JSON


class Metrics:
    """One set of counters for each application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "imprimatur_http_requests_total",
            "Replies by route, method and class of status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "imprimatur_http_seconds",
            "Seconds from the request to the end of the reply.",
            ("route",),
            registry=self._registry,
        )
        self._decisions = Counter(
            "imprimatur_decisions_total",
            "Decisions by verdict and by the gate of the first reason.",
            ("verdict", "gate"),
            registry=self._registry,
        )
        self._cache = Counter(
            "imprimatur_decision_cache_total",
            "Decisions whose observations were found (hit), or had to be made (miss).",
            ("outcome",),
            registry=self._registry,
        )
        self._cached: dict[str, int] = {}
        self._witness_lag = Gauge(
            "imprimatur_audit_witness_lag",
            "Entries of the log that a witness has not seen yet.",
            ("witness",),
            registry=self._registry,
        )

    def replied(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one reply."""
        self._requests.labels(route, method, f"{status // 100}xx").inc()
        self._seconds.labels(route).observe(seconds)

    def decided(self, decision: JSON) -> None:
        """Count one decision."""
        reasons = decision["reasons"]
        gate = reasons[0]["gate"] if reasons else "none"
        self._decisions.labels(decision["verdict"], gate).inc()

    def cached(self, outcomes: Mapping[str, int]) -> None:
        """Note how often the cache has answered since the start."""
        for outcome, count in outcomes.items():
            self._cache.labels(outcome).inc(count - self._cached.get(outcome, 0))
            self._cached[outcome] = count

    def witnessed(self, standings: Iterable[Standing]) -> None:
        """Note how far each witness lags; the label is one that the operator wrote."""
        for one in standings:
            self._witness_lag.labels(one.witness.key.id).set(one.lag)

    def text(self) -> bytes:
        """Return all of them in Prometheus's text format."""
        return generate_latest(self._registry)

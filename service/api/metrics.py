"""Counters for Prometheus. Labels are few and ours: never an id, a path or anything typed."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

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

    def replied(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one reply."""
        self._requests.labels(route, method, f"{status // 100}xx").inc()
        self._seconds.labels(route).observe(seconds)

    def decided(self, decision: JSON) -> None:
        """Count one decision."""
        reasons = decision["reasons"]
        gate = reasons[0]["gate"] if reasons else "none"
        self._decisions.labels(decision["verdict"], gate).inc()

    def text(self) -> bytes:
        """Return all of them in Prometheus's text format."""
        return generate_latest(self._registry)

from tests.service.audit.conftest import clock, database, log

__all__ = ["clock", "database", "log"]

"""`imprimatur serve`: the service over HTTP, with its workers beside it."""

from __future__ import annotations

import signal
import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.errors import Refused

if TYPE_CHECKING:
    from service import wiring
    from service.settings import Settings

_GRACE_S = 10


def serve(
    *,
    host: Annotated[str, typer.Option(help="IMPRIMATUR_HOST.", show_default=False)] = "",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="IMPRIMATUR_PORT.", show_default=False)
    ] = 0,
    workers: Annotated[
        int, typer.Option(min=-1, max=64, help="IMPRIMATUR_WORKERS.", show_default=False)
    ] = -1,
) -> int:
    """Serve until SIGTERM or Ctrl-C; the workers give back the jobs they have in hand."""
    import uvicorn

    from service import telemetry
    from service.app import create_app
    from service.cli.supervision import Supervisor, command_line

    settings = _chosen(host, port, workers)
    telemetry.configure(sys.stderr)
    _require_free(settings.host, settings.port)
    _first_steps(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
    # uvicorn raises the signal again when it has stopped; without this it would kill us before
    # the workers are drained.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: None)
    supervisor = Supervisor(command_line(), settings.workers, drain_s=2 * settings.lease_s)
    supervisor.start()
    try:
        sys.stderr.write(f"Serving on http://{settings.host}:{settings.port}\n")
        server.run()
    finally:
        supervisor.stop()
    return 0 if server.started else 1


def _chosen(host: str, port: int, workers: int) -> Settings:
    settings = opening.settings()
    given = {"host": host or settings.host, "port": port or settings.port}
    count = settings.workers if workers < 0 else workers
    return settings.model_copy(update={**given, "workers": count})


def _require_free(host: str, port: int) -> None:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, _, _, address = addresses[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as taken:
        raise Refused(
            f"{host}:{port} cannot be served on ({taken.strerror}); stop what listens there, or "
            "choose another with --port"
        ) from taken


def _first_steps(settings: Settings) -> None:
    """Make what the processes share before there are several: tables, keys, encoder, first key."""
    from service import wiring

    with wiring.opened(settings) as house:
        secret = _first_key(house)
        wiring.identity(settings, house.rooms.keys, wiring.now)
    if secret:
        sys.stderr.write(
            "This is the first API key, for the roles creator and operator. It is shown this "
            f"once:\n\n  {secret}\n\n"
        )


def _first_key(house: wiring.House) -> str:
    from sqlalchemy import func, select

    from service import wiring
    from service.accounts import NewKey, Role, logged
    from service.accounts.api_keys import key_table

    database = house.rooms.database
    with database.reading() as conn:
        if conn.execute(select(func.count()).select_from(key_table)).scalar_one():
            return ""
    operator = opening.person(database, "")
    roles = frozenset({Role.CREATOR, Role.OPERATOR})
    new = NewKey(operator.actor, operator.project, roles, "first key")
    made = logged.issued(database, house.rooms.log, new, by=operator.actor, now=wiring.now())
    return made.secret

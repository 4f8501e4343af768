"""`imprimatur`: every command's way in, and the edge where an error becomes one sentence.

A command module imports what it needs inside its command, so that `--help` answers at once.
"""

import sys
from collections.abc import Sequence

import typer
from typer.main import get_command

from service.cli import (
    appeals,
    audit,
    check,
    claims,
    demo,
    disclose,
    doctor,
    export,
    generate,
    keys,
    likeness,
    models,
    policy,
    prune,
    records,
    reviews,
    serve,
    simulate,
    ticket,
    verify,
    witness,
    worker,
)
from service.cli.errors import known, sentence_of, usage_errors
from service.cli.terminal import report_error

app = typer.Typer(
    name="imprimatur",
    help="Decide, generate, seal and prove. Exit codes: docs/operating.md.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("generate")(generate.generate)
app.command("verify")(verify.verify)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("doctor")(doctor.doctor)
app.command("appeal")(appeals.appeal)
policy.app.command("simulate")(simulate.simulate)
for _group in (reviews, appeals, likeness, claims, keys, models, audit, witness, policy):
    app.add_typer(_group.app, name=_group.__name__.rpartition(".")[2])
app.add_typer(ticket.app, name="ticket")
app.add_typer(records.app, name="records")
audit.app.command("disclose")(disclose.disclose)
audit.app.command("prune")(prune.prune)
audit.app.command("export")(export.export)


def main() -> None:
    """Run the command line and end the process."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Return the exit code of one command; 1 where an error kept it from its answer."""
    as_json = "--json" in arguments
    try:
        ended = get_command(app).main(
            list(arguments) or ["--help"], prog_name="imprimatur", standalone_mode=False
        )
    except usage_errors() as wrong:
        return report_error(sentence_of(wrong), as_json=as_json)
    except BrokenPipeError:
        # Whoever read us has heard enough; Python would complain about it at exit.
        sys.stdout = None
        return 1
    except known() as broken:
        return report_error(sentence_of(broken), as_json=as_json)
    return ended if isinstance(ended, int) else 0

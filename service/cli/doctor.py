"""`imprimatur doctor`: what is wrong here, and the one command that mends it."""

from service.cli.options import Json
from service.cli.terminal import emit, out, plain


def doctor(*, json: Json = False) -> int:
    """Check the installation without changing it; exit 0 fine, 1 warnings, 2 failures."""
    from service import doctor as checks

    found = checks.examined()
    worst = max(one.level for one in found)
    if json:
        emit(
            {
                "object": "doctor",
                "level": worst.name,
                "checks": [
                    {"name": one.name, "level": one.level.name, "said": one.said, "fix": one.fix}
                    for one in found
                ],
            }
        )
        return int(worst)
    console = out()
    styles = {"OK": "green", "WARN": "yellow", "FAIL": "bold red"}
    for one in found:
        console.print(f"{one.level.name:<5}", style=styles[one.level.name], end="")
        console.print(f"{one.name}: {plain(one.said, 400)}")
        if one.fix:
            console.print(f"       mend it: {one.fix}")
    return int(worst)

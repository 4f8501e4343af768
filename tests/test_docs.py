"""What is documented is what there is. `python -m tests.test_docs` writes docs/reasons.md."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.main import get_command

from service.app import create_app
from service.cli import app as command_line
from service.decision import Verdict
from service.policy_book import Join, Parts, Policy, Rule, Thresholds
from service.settings import PREFIX, Settings
from service.wiring import DEFAULT_POLICY, policy

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
REASONS = DOCS / "reasons.md"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
OPERATING = (DOCS / "operating.md").read_text()


def commands() -> dict[tuple[str, ...], set[str]]:
    """Return every command with its options."""

    def below(command: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], set[str]]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from below(inner, (*path, name))
        if not getattr(command, "commands", {}):
            params = getattr(command, "params", ())
            yield path, {option for one in params for option in one.opts}

    return dict(below(get_command(command_line), ()))


def used_commands(text: str) -> list[str]:
    """Return what follows `imprimatur` on each line of code, in blocks and between backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(imprimatur [^`]+)`", text)
    return [
        line.split("#")[0].removeprefix("imprimatur ").strip()
        for line in lines
        if line.startswith("imprimatur ")
    ]


def reasons_page(policy: Policy) -> str:
    """Return docs/reasons.md for a policy."""
    head = f"""# Reasons

Why a request is held or blocked: every rule of the policy `{policy.ref.id}` {policy.ref.version}. Written from `{DEFAULT_POLICY.relative_to(ROOT)}` by `python -m tests.test_docs`; a test compares. A decision names the code, the rule, the score and the threshold it met; a hold waits for a person, a block does not.

"""  # noqa: E501 - a paragraph is one line
    rows = [_row(rule) for rule in sorted(policy.rules.values(), key=lambda rule: rule.category)]
    rows += [_joined_row(join) for join in sorted(policy.joins, key=lambda join: join.code)]
    table = "| code | rule | whose | holds from | blocks from | says | to change it |\n"
    return f"{head}{table}|---|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _row(rule: Rule) -> str:
    limits = dict(rule.thresholds)
    hold, block = (
        "<br>".join(
            _limit(surface, getattr(limits[surface], which))
            for surface in sorted(limits, key=lambda one: (one != "default", one))
        )
        for which in ("hold", "block")
    )
    cells = (
        f"`{rule.category}`",
        rule.id,
        rule.owner.value,
        hold,
        block,
        rule.message,
        rule.remedy,
    )
    return "| " + " | ".join(cells) + " |"


def _joined_row(join: Join) -> str:
    needs = " and ".join(
        f"{' or '.join(f'`{name}`' for name in sorted(one.categories))} from {one.at_least:g}"
        for one in join.all_of
    )
    where = {Parts.ANYWHERE: "", Parts.SAME: ", in one part", Parts.DIFFERENT: ", in two parts"}
    met = f"{needs}{where[join.parts]}"
    hold, block = (met, "never") if join.verdict is Verdict.HOLD else ("never", met)
    cells = (f"`{join.code}`", join.id, join.owner.value, hold, block, join.message, join.remedy)
    return "| " + " | ".join(cells) + " |"


def _limit(surface: str, limit: float | None) -> str:
    said = "never" if limit is None else f"{limit:g}"
    return said if surface == "default" else f"{surface}: {said}"


def live_policy() -> Policy:
    return policy(DEFAULT_POLICY.read_bytes())


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(IMPRIMATUR_\w+)` \|([^|]*)\|", OPERATING, re.MULTILINE))

    assert set(rows) == {PREFIX + name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if field.default_factory is None and field.default not in {None, ""}:
            shown = str(field.default).lower() if isinstance(field.default, bool) else field.default
            assert rows[PREFIX + name.upper()].strip() == f"`{shown}`", name


@pytest.mark.parametrize("command", sorted(commands()), ids=" ".join)
def test_every_command_is_documented(command: tuple[str, ...]) -> None:
    assert re.search(rf"`imprimatur {' '.join(command)}[ `]", OPERATING)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_in_the_docs_exists_with_its_options(page: Path) -> None:
    known = commands()
    for line in used_commands(page.read_text()):
        words = line.split()
        if words[0].startswith("--"):
            continue
        name = tuple(words[:2]) if tuple(words[:2]) in known else tuple(words[:1])
        options = {word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)}
        assert name in known, line
        assert options <= known[name] | {"--help"}, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        assert target.startswith(("http://", "https://")) or (page.parent / target).exists(), target


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    used = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE))

    assert {"demo", "serve", "test", "check"} <= used <= targets


def test_python_in_the_docs_is_python() -> None:
    for page in PAGES:
        for block in re.findall(
            r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE
        ):
            compile(block, str(page), "exec")


def test_the_reasons_are_those_of_the_policy() -> None:
    assert REASONS.read_text() == reasons_page(live_policy()), "python -m tests.test_docs"


def test_the_page_of_reasons_changes_with_a_threshold() -> None:
    policy = live_policy()
    rule = policy.rules["filters.sexual"]
    stricter = replace(rule, thresholds={"default": Thresholds(0.01, None)})
    changed = replace(policy, rules={**policy.rules, "filters.sexual": stricter})

    assert reasons_page(changed) != reasons_page(policy)


def test_every_decision_record_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()

    missing = [path.name for path in (DOCS / "adr").glob("*.md") if path.name not in readme]

    assert missing == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for target in re.findall(r"\]\(([^)#\s]+\.md)", page.read_text()):
            found = (page.parent / target).resolve()
            if found.exists() and found not in reached:
                waiting.append(found)

    assert [page for page in PAGES if page not in reached] == []


def test_every_route_is_documented(tmp_path: Path) -> None:
    documented = set(documented_routes((DOCS / "api.md").read_text()))

    routes = {
        f"{method.upper()} {nameless(path)}"
        for path, methods in create_app(Settings(home=tmp_path)).openapi()["paths"].items()
        for method in methods
    }

    assert len(routes) > 20
    assert sorted(routes - documented) == []


def nameless(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def documented_routes(page: str) -> Iterator[str]:
    """Yield the routes of the table: after the first of a row, parts are added to its path."""
    for cell in re.findall(r"^\| ([^|]*(?:\\\|[^|]*)*) \|", page, re.MULTILINE):
        base, method = "", ""
        for item in re.findall(r"`([^`]+)`", cell):
            word, _, path = item.partition(" ")
            if word.isupper():
                method, path = word, path or base
            else:
                path = item
            path = nameless(path.split("?")[0])
            if path.startswith(
                ("/v1/", "/access/", "/beta/", "/.well-known/", "/healthz", "/readyz", "/metrics")
            ):
                base = path
                yield f"{method} {path}"
                continue
            roots = (base, base.rsplit("/", 1)[0], base.split("/{}")[0])
            yield from (f"{method} {root}{path.removeprefix(root)}" for root in roots)


if __name__ == "__main__":
    REASONS.write_text(reasons_page(live_policy()))

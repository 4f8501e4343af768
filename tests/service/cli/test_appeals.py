"""Appeals and reviews of decisions through the command line, with the real house."""

from tests.service.cli.conftest import Command

BLOCKED = "two naked people having sex under a green tree"
HELD = "a red ball bounces near @somebody_else"
WHY = "They are statues."


def a_moderator(command: Command) -> str:
    made = command("keys", "create", "--role", "moderator", "--person", "Mo", "--json")
    return str(made.answer["actor"])


def test_a_refusal_is_appealed_and_upheld_by_somebody_else(command: Command) -> None:
    refused = command("check", BLOCKED)
    decision = refused.out.split("imprimatur appeal ")[1].split()[0]

    appealed = command("appeal", decision, "--why", WHY, "--json").answer
    twice = command("appeal", decision, "--why", WHY)
    listed = command("appeals", "list", "--json").answer["data"]
    plain = command("appeals", "show", appealed["id"])
    own = command("appeals", "uphold", appealed["id"], "--statement", "Yes.")
    other = a_moderator(command)
    seen = command("appeals", "show", appealed["id"], "--reveal", "--as", other)
    upheld = command(
        "appeals", "uphold", appealed["id"], "--statement", "Art.", "--as", other, "--json"
    ).answer

    assert (refused.code, appealed["status"]) == (4, "open")
    assert appealed["proof"]["type"] == "appeal.opened"
    assert (twice.code, appealed["id"] in twice.err) == (1, True)
    assert appealed["id"] in {one["id"] for one in listed}
    assert WHY not in plain.out
    assert (own.code, "name another with --as" in own.err) == (1, True)
    assert BLOCKED in seen.out
    assert WHY in seen.out
    assert "filters.sexual" in upheld["lifted"]
    assert command("check", BLOCKED).code == 0


def test_a_dismissed_appeal_stands_with_its_reasons(command: Command) -> None:
    decision = command("check", f"{BLOCKED} at night", "--json").answer["id"]
    appeal = command("appeal", decision, "--why", WHY, "--json").answer["id"]
    other = a_moderator(command)

    ruled = command("appeals", "dismiss", appeal, "--statement", "No.", "--as", other)
    late = command("appeals", "uphold", appeal, "--statement", "Yes.", "--as", other)
    shown = command("appeals", "show", appeal, "--reveal", "--as", other, "--json").answer

    assert ruled.code == 0
    assert "is dismissed. The decision stands" in ruled.out
    assert (late.code, "is dismissed" in late.err) == (1, True)
    assert (shown["statement"], shown["why"]) == ("No.", WHY)
    assert command("check", f"{BLOCKED} at night").code == 4


def test_a_held_question_is_cleared_and_asked_again(command: Command) -> None:
    held = command("check", HELD)
    review = held.out.split("It waits as ")[1].split(";")[0]
    early = command("appeal", held.out.split("Decision ")[1].split(".")[0], "--why", WHY)
    other = a_moderator(command)

    quiet = command("reviews", "show", review)
    seen = command("reviews", "show", review, "--reveal", "--as", other)
    cleared = command("reviews", "clear", review, "--as", other)

    assert (held.code, early.code) == (3, 1)
    assert "a person looks at it already" in early.err
    assert HELD not in quiet.out
    assert HELD in seen.out
    assert cleared.code == 0, cleared.err
    assert "may pass these holds until" in cleared.out
    assert command("check", HELD).code == 0


def test_what_cannot_be_is_one_sentence(command: Command) -> None:
    for arguments, said in (
        (["appeal", "dec_none", "--why", WHY], "no entry has this key"),
        (["appeal", "dec_none", "--why", " "], "why: it is empty"),
        (["appeals", "show", "apl_none"], "there is no appeal apl_none"),
        (["appeals", "dismiss", "apl_none", "--statement", "x" * 4001], "Use at most 4000"),
    ):
        ran = command(*arguments)

        assert ran.code == 1
        assert said in ran.err
        assert ran.err.count("\n") == 1

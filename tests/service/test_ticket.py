"""A ticket permits one request, for a while, and nothing else."""

import base64
import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.shots import Size
from service.decision import (
    Decision,
    Gate,
    Mode,
    Observation,
    PolicyRef,
    Purpose,
    Stage,
    Verdict,
)
from service.keys import signing_key
from service.request import GenerationRequest, Parameters, Reference, Requester, ShotAsked
from service.ticket import (
    NotAllowed,
    TicketExpired,
    TicketForAnother,
    TicketForged,
    TicketInvalid,
    TicketKeyUnknown,
    TicketMalformed,
    TicketTooEarly,
    allowance,
    by_its_bearer,
    issue,
    key_id,
    require_request,
    signed,
    verify,
)

KEY, OTHER = signing_key(b"\x01" * 32), signing_key(b"\x02" * 32)
KEYS = [KEY.verifying]
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
REQUEST = GenerationRequest(
    id="req_1",
    requester=Requester("act_1", "prj_1"),
    prompt="a cat in a hat",
    parameters=Parameters("tiny", Size(256, 256), 4, Fraction(24), 2**63 - 1),
    references=(Reference("input_reference", b"picture"),),
    handles=("ann",),
    territory="DE",
)


def a_decision(verdict: Verdict = Verdict.ALLOW, mode: Mode = Mode.ENFORCE) -> Decision:
    seen = Observation(
        "obs_1",
        Gate.RIGHTS,
        "rights@1",
        "rights.none",
        "prompt",
        "prompt",
        0.0,
        index="claims:18231",
    )
    return Decision(
        id="dec_1",
        request_id="req_1",
        created_at=NOW,
        mode=mode,
        stage=Stage.REQUEST,
        verdict=verdict,
        reasons=(),
        conditions=(),
        observations=(seen, replace(seen, id="obs_2", index="")),
        policy=PolicyRef("default", "1", "ab" * 32),
    )


def a_token() -> str:
    return issue(REQUEST, allowance(a_decision()), KEY, now=NOW, lifetime=HOUR)


def test_a_ticket_says_what_was_permitted() -> None:
    ticket = verify(a_token(), REQUEST, KEYS, now=NOW)

    assert (ticket.decision, ticket.policy) == ("dec_1", "ab" * 32)
    assert ticket.indexes == ("claims:18231",)
    assert ticket.expires_at == NOW + HOUR
    assert ticket.permitted.handles == ("ann",)


def test_the_prompt_is_not_in_the_token() -> None:
    payload = a_token().split(".")[2]

    assert b"cat" not in base64.urlsafe_b64decode(payload + "==")


def parameters(**changed: object) -> Callable[[GenerationRequest], GenerationRequest]:
    return lambda request: replace(
        request,
        parameters=replace(request.parameters, **changed),  # type: ignore[arg-type]
    )


CHANGES: dict[str, Callable[[GenerationRequest], GenerationRequest]] = {
    "id": lambda request: replace(request, id="req_2"),
    "actor": lambda request: replace(request, requester=Requester("act_2", "prj_1")),
    "project": lambda request: replace(request, requester=Requester("act_1", "prj_2")),
    "prompt": lambda request: replace(request, prompt="a cat in a hat "),
    "territory": lambda request: replace(request, territory="FR"),
    "purpose": lambda request: replace(request, purpose=Purpose.POLITICAL),
    "an ancestor more": lambda request: replace(request, ancestors=("a cat",)),
    "a shot more": lambda request: replace(request, shots=(ShotAsked("a cat", 2),)),
    "end user": lambda request: replace(request, end_user="u-2"),
    "no handle": lambda request: replace(request, handles=()),
    "more handles": lambda request: replace(request, handles=("ann", "ben")),
    "no reference": lambda request: replace(request, references=()),
    "another picture": lambda request: replace(
        request, references=(Reference("input_reference", b"Picture"),)
    ),
    "another place": lambda request: replace(
        request, references=(Reference("last_frame", b"picture"),)
    ),
    "twice the picture": lambda request: replace(request, references=request.references * 2),
    "model": parameters(model="ltx2"),
    "size": parameters(size=Size(512, 512)),
    "seconds": parameters(seconds=5),
    "fps": parameters(fps=Fraction(24000, 1001)),
    "seed": parameters(seed=2**63 - 2),
}


@pytest.mark.parametrize("name", CHANGES)
def test_any_other_request_is_refused(name: str) -> None:
    with pytest.raises(TicketForAnother):
        verify(a_token(), CHANGES[name](REQUEST), KEYS, now=NOW)


def test_every_field_of_a_request_is_in_its_ticket_or_says_nothing_about_what_is_made() -> None:
    # Whoever adds a field decides here, and in `_permitted`.
    covered = {"id", "requester", "prompt", "parameters", "references", "handles", "territory"}
    covered |= {"purpose", "shots", "end_user", "ancestors"}

    assert {one.name for one in fields(GenerationRequest)} == covered | {"idempotency_key"}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_other_prompt_is_refused(prompt: str) -> None:
    if prompt == REQUEST.prompt:
        return
    with pytest.raises(TicketForAnother, match="prompt"):
        verify(a_token(), replace(REQUEST, prompt=prompt), KEYS, now=NOW)


def test_a_retry_with_another_idempotency_key_is_the_same_request() -> None:
    again = replace(REQUEST, idempotency_key="again")

    assert verify(a_token(), again, KEYS, now=NOW).permitted.request == "req_1"


@given(st.data())
def test_a_changed_character_is_refused(data: st.DataObject) -> None:
    token = a_token()
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABab01-_.= é").filter(lambda one: one != token[at]))

    with pytest.raises(TicketInvalid):
        verify(token[:at] + other + token[at + 1 :], REQUEST, KEYS, now=NOW)


@given(st.data())
def test_a_flipped_bit_is_refused(data: st.DataObject) -> None:
    version, key, *parts = a_token().split(".")
    which = data.draw(st.sampled_from([0, 1]))
    content = bytearray(base64.urlsafe_b64decode(parts[which] + "=="))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[which] = base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    with pytest.raises(TicketForged):
        verify(".".join([version, key, *parts]), REQUEST, KEYS, now=NOW)


@given(st.text(max_size=60))
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(TicketInvalid):
        verify(token, REQUEST, KEYS, now=NOW)


@pytest.mark.parametrize("change", ["padding", "newline", "space", "fifth part", "other version"])
def test_one_ticket_has_one_spelling(change: str) -> None:
    token = a_token()
    spelled = {
        "padding": token + "=",
        "newline": token + "\n",
        "space": " " + token,
        "fifth part": token.replace(".", "..", 1),
        "other version": "v2" + token[2:],
    }[change]

    with pytest.raises(TicketMalformed):
        verify(spelled, REQUEST, KEYS, now=NOW)


def test_a_huge_token_is_refused_before_it_is_read() -> None:
    with pytest.raises(TicketMalformed, match="long"):
        verify("v1." + "A" * 10_000_000, REQUEST, KEYS, now=NOW)


def test_a_signature_by_another_key_under_our_id_is_refused() -> None:
    forged = issue(
        REQUEST, allowance(a_decision()), replace(OTHER, id=KEY.id), now=NOW, lifetime=HOUR
    )

    with pytest.raises(TicketForged):
        verify(forged, REQUEST, KEYS, now=NOW)


def test_a_key_that_is_not_in_the_ring_is_unknown() -> None:
    token = issue(REQUEST, allowance(a_decision()), OTHER, now=NOW, lifetime=HOUR)

    with pytest.raises(TicketKeyUnknown):
        verify(token, REQUEST, KEYS, now=NOW)
    ticket = verify(token, REQUEST, [KEY.verifying, OTHER.verifying], now=NOW)
    assert ticket.decision == "dec_1"


def test_a_signature_for_another_purpose_is_no_ticket() -> None:
    signed, _, _ = a_token().rpartition(".")
    elsewhere = base64.urlsafe_b64encode(KEY.sign(signed.encode())).rstrip(b"=").decode()

    with pytest.raises(TicketForged):
        verify(f"{signed}.{elsewhere}", REQUEST, KEYS, now=NOW)


def test_a_signed_payload_that_is_no_ticket_is_malformed() -> None:
    for payload in (b"", b"[]", b"{}", json.dumps({"permitted": {}, "issued": 1}).encode()):
        signed = f"v1.{KEY.id}." + base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
        signature = KEY.sign(b"impr/ticket/v1\n" + signed.encode())
        token = signed + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()

        with pytest.raises(TicketMalformed):
            verify(token, REQUEST, KEYS, now=NOW)


@pytest.mark.parametrize(
    ("seconds", "refused"),
    [
        (-7, TicketTooEarly), (-5, None), (0, None), (3604, None), (3605, TicketExpired),
        (10**8, TicketExpired),
    ],
)  # fmt: skip
def test_a_ticket_has_its_time(seconds: int, refused: type[TicketInvalid] | None) -> None:
    now = NOW + timedelta(seconds=seconds)

    if refused is None:
        assert verify(a_token(), REQUEST, KEYS, now=now).decision == "dec_1"
        return
    with pytest.raises(refused):
        verify(a_token(), REQUEST, KEYS, now=now)


@pytest.mark.parametrize(
    "decision",
    [
        a_decision(Verdict.HOLD),
        a_decision(Verdict.BLOCK),
        a_decision(mode=Mode.SHADOW),
        a_decision(mode=Mode.DRY_RUN),
        replace(a_decision(), request_id="req_2"),
    ],
)
def test_only_an_enforced_allow_of_this_request_gives_a_ticket(decision: Decision) -> None:
    with pytest.raises(NotAllowed):
        issue(REQUEST, allowance(decision), KEY, now=NOW, lifetime=HOUR)


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1)])
def test_a_ticket_without_a_life_is_not_issued(lifetime: timedelta) -> None:
    with pytest.raises(NotAllowed):
        issue(REQUEST, allowance(a_decision()), KEY, now=NOW, lifetime=lifetime)


def test_a_gateway_compares_what_is_asked_and_takes_the_bearer_from_the_ticket() -> None:
    ticket = signed(a_token(), KEYS)
    stated = replace(REQUEST, id="", requester=Requester("", ""))

    require_request(ticket, by_its_bearer(ticket, stated))

    with pytest.raises(TicketForAnother, match="prompt"):
        require_request(ticket, by_its_bearer(ticket, replace(stated, prompt="a dog")))


def test_a_token_names_its_key() -> None:
    assert key_id(a_token()) == KEY.id


def test_every_way_to_be_invalid_has_a_word_of_its_own() -> None:
    words = [leaf.word for leaf in TicketInvalid.__subclasses__()]

    assert len(set(words)) == len(words) == 6
    assert TicketInvalid.word not in words

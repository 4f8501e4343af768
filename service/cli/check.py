"""`imprimatur check`: would this be made? A decision, its reasons, and the proof of both."""

from service.cli import opening, pointing, shown
from service.cli.asking import Asked, checked
from service.cli.options import (
    As,
    Explain,
    Images,
    Json,
    Likenesses,
    Prompt,
    Purpose,
    Shots,
    Territory,
)
from service.cli.terminal import emit, out


def check(
    prompt: Prompt,
    *,
    shot: Shots = None,
    image: Images = None,
    likeness: Likenesses = None,
    territory: Territory = "",
    purpose: Purpose = "",
    actor: As = "",
    explain: Explain = False,
    json: Json = False,
) -> int:
    """Ask the gates about a prompt and its shots; exit 0 allow, 3 hold, 4 block, 1 no answer."""
    from service.cli.proof import of_decision
    from service.decision import Mode
    from service.desk import answer
    from service.wire import EXIT_CODES

    asked = checked(
        Asked(
            prompt,
            tuple(image or ()),
            tuple(likeness or ()),
            territory,
            purpose=purpose,
            shots=tuple(shot or ()),
        )
    )
    with opening.house(opening.settings()) as house:
        requester = opening.person(house.rooms.database, actor)
        request = asked.request(house.rooms, requester)
        given = answer(house.rooms, request, mode=Mode.ENFORCE)
        proof = of_decision(house.rooms.log, given.decision, given.receipt)
        texts = dict(request.texts())
        policy = house.rooms.book.policy(given.decision.policy.sha256) if explain else None
    if json:
        more = {}
        if explain:
            more = {
                "explanation": shown.explanation(given, policy),
                "typed": pointing.as_json(given.decision, texts),
            }
        emit({**shown.as_json(given, request.prompt, proof), **more})
    elif explain:
        marked = pointing.as_lines(given.decision, texts)
        out().print(shown.explained(given, marked, policy, proof))
    else:
        out().print(shown.as_text(given, request.prompt, proof))
    return EXIT_CODES[given.decision.verdict]

"""`imprimatur check`: would this be made? A decision, its reasons, and the proof of both."""

from service.cli import opening, shown
from service.cli.asking import Asked, checked
from service.cli.options import As, Images, Json, Likenesses, Prompt, Territory
from service.cli.terminal import emit, out


def check(
    prompt: Prompt,
    *,
    image: Images = None,
    likeness: Likenesses = None,
    territory: Territory = "",
    actor: As = "",
    json: Json = False,
) -> int:
    """Ask the gates about a prompt; exit 0 allow, 3 hold, 4 block, 1 no answer."""
    from service.cli.proof import of_decision
    from service.decision import Mode
    from service.desk import answer
    from service.wire import EXIT_CODES

    asked = checked(Asked(prompt, tuple(image or ()), tuple(likeness or ()), territory))
    with opening.house(opening.settings()) as house:
        requester = opening.person(house.rooms.database, actor)
        request = asked.request(house.rooms, requester)
        given = answer(house.rooms, request, mode=Mode.ENFORCE)
        proof = of_decision(house.rooms.log, given.decision, given.receipt)
    if json:
        emit(shown.as_json(given, request.prompt, proof))
    else:
        out().print(shown.as_text(given.decision, request.prompt, proof))
    return EXIT_CODES[given.decision.verdict]

"""A back-test as JSON: one shape for the API and the command line."""

from service.backtests.flips import Share, counted, share
from service.backtests.running import Asked, Backtest
from service.policy_book.difference import difference
from service.wire import JSON, policy_json


def backtest_json(asked: Asked, test: Backtest) -> JSON:
    """Return what a back-test found; it names decisions and nobody."""
    flips = test.flips
    return {
        "object": "policy.backtest",
        "candidate": policy_json(asked.candidate.ref),
        "against": policy_json(asked.against.ref) if asked.against else None,
        "decisions": test.matched,
        "judged": flips.judged,
        "sample": asked.sample,
        "flipped": _share(share_of(test)),
        "flips": [
            {
                "from": one.before.word,
                "to": one.after.word,
                **_share(one.share),
                "examples": [
                    {"decision": each.decision, "index": each.index} for each in one.examples
                ],
            }
            for one in flips.flips()
        ],
        "by_reason": {
            code: {"appears": flips.appearing[code], "disappears": flips.disappearing[code]}
            for code in sorted(flips.appearing.keys() | flips.disappearing.keys())
        },
        "by_project": counted(flips.by_project),
        "by_stage": counted(flips.by_stage),
        "exact": {"checked": test.exact.checked, "differing": test.exact.differing},
        "skipped": [
            {"why": why, "entries": many, "first": first}
            for why, (many, first) in sorted(test.skipped.items())
        ],
        "changes": [
            {"sentence": one.sentence, "direction": one.direction.value}
            for one in (difference(asked.against, asked.candidate) if asked.against else ())
        ],
        "tree_size": test.tree_size,
        "checkpoint": test.checkpoint,
    }


def share_of(test: Backtest) -> Share:
    """Return how many decisions would have had another verdict."""
    return share(sum(test.flips.by_verdict.values()), test.flips.judged)


def _share(one: Share) -> JSON:
    return {
        "decisions": one.many,
        "share": round(one.many / one.of, 6) if one.of else None,
        "interval_95": [round(one.low, 6), round(one.high, 6)],
    }

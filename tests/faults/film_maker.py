"""A real process that takes a request all the way and may kill itself on the way.

python -m tests.faults.film_maker HOME STEP SIDE
"""

import os
import signal
import sys
from pathlib import Path

from service.jobs import Step
from service.steps.run import Side
from tests.builders import a_house, a_request

LEASE_S = 0.2


def main(home: Path, step: Step, side: Side) -> None:
    def crossing(at: Step, on: Side) -> None:
        if (at, on) == (step, side):
            os.kill(os.getpid(), signal.SIGKILL)

    with a_house(home, lease_s=LEASE_S) as house:
        pipeline = house.pipeline(f"victim:{os.getpid()}", crossing)
        pipeline.submit(a_request(key="the-same-request"))
        lease = pipeline.claim()
        assert lease is not None
        pipeline.carry_on(lease)
    sys.exit("it was to be killed, and came through")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Step(sys.argv[2]), Side(sys.argv[3]))

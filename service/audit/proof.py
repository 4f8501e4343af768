"""An entry with its proof, as one text file (https://c2sp.org/tlog-proof)."""

import base64
from collections.abc import Sequence


def proof_text(index: int, proof: Sequence[bytes], note: str, leaf: bytes) -> str:
    """Return a `.tlog-proof` file whose `extra` line carries the entry itself.

    C2SP leaves `extra` to the application and vouches for nothing in it. A reader that hashes it
    and follows the proof from there has checked it.
    """
    lines = ["c2sp.org/tlog-proof@v1", f"extra {_base64(leaf)}", f"index {index}"]
    lines += [_base64(step) for step in proof]
    return "\n".join(lines) + f"\n\n{note}"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()

"""A witness written from https://c2sp.org/tlog-witness alone: none of the product's code.

It knows one log, keeps its newest checkpoint in memory and cosigns with Ed25519.
"""

import base64
import hashlib
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

AT = 1_795_248_000


class Refused(Exception):
    def __init__(self, status: int, body: str = "", kind: str = "text/plain") -> None:
        self.status, self.body, self.kind = status, body, kind


@dataclass
class Witness:
    """What a witness knows. `requests` and the two switches are for tests.

    Attributes:
        logs: by origin, the public key as the log publishes it.
        seen: by origin, size and root of the newest cosigned checkpoint.
        status: answered to everything, if not 0.
    """

    name: str = "witness.example/w1"
    key: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"\x11" * 32)
    )
    logs: dict[str, str] = field(default_factory=dict)
    seen: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    status: int = 0
    reply: str | None = None
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def vkey(self) -> str:
        key = b"\x04" + self.key.public_key().public_bytes_raw()
        hashed = hashlib.sha256(self.name.encode() + b"\n" + key).hexdigest()[:8]
        return f"{self.name}+{hashed}+{base64.b64encode(key).decode()}"

    @property
    def setting(self) -> str:
        return f"http://127.0.0.1:{self.port} {self.vkey}"

    def know(self, vkey: str) -> None:
        self.logs[vkey.split("+")[0]] = vkey

    def add_checkpoint(self, request: str) -> str:
        with self.lock:
            self.requests.append(request)
            if self.status:
                raise Refused(self.status, "no")
            if self.reply is not None:
                return self.reply
            return self._cosigned(request)

    def _cosigned(self, request: str) -> str:
        head, separator, note = request.partition("\n\n")
        old_line, *proof_lines = head.split("\n")
        if not separator or not old_line.startswith("old ") or len(proof_lines) > 63:
            raise Refused(400)
        old = int(old_line[4:])
        proof = [base64.b64decode(line, validate=True) for line in proof_lines]
        text = note[: note.rindex("\n\n") + 1]
        origin, size_line, root_line = text.split("\n")[:3]
        size, root = int(size_line), base64.b64decode(root_line)
        if origin not in self.logs:
            raise Refused(404)
        if not self._is_signed(origin, text, note[len(text) + 1 :]):
            raise Refused(403)
        if old > size:
            raise Refused(400)
        known, known_root = self.seen.get(origin, (0, b""))
        if known != old or (old == size and known and known_root != root):
            raise Refused(409, f"{known}\n", "text/x.tlog.size")
        if not is_consistent((old, known_root), (size, root), proof):
            raise Refused(422)
        self.seen[origin] = (size, root)
        message = f"cosignature/v1\ntime {AT}\n{text}".encode()
        hashed = bytes.fromhex(self.vkey.split("+")[1])
        content = hashed + struct.pack(">Q", AT) + self.key.sign(message)
        return f"— {self.name} {base64.b64encode(content).decode()}\n"

    def _is_signed(self, origin: str, text: str, signatures: str) -> bool:
        _, hashed, encoded = self.logs[origin].split("+", 2)
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
        for line in signatures.splitlines():
            _, name, content = line.split(" ")
            signature = base64.b64decode(content)
            if name != origin or signature[:4].hex() != hashed:
                continue
            try:
                public.verify(signature[4:], text.encode())
            except InvalidSignature:
                return False
            return True
        return False


def is_consistent(old: tuple[int, bytes], new: tuple[int, bytes], proof: list[bytes]) -> bool:
    """RFC 6962 section 2.1.2, recursively: what the proof says of both roots."""
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == 0:
        return not proof
    left = list(proof)

    def roots(m: int, n: int, whole: bool) -> tuple[bytes, bytes]:
        if m == n:
            if whole:
                return old_root, old_root
            hashed = left.pop(0)
            return hashed, hashed
        half = 1
        while half * 2 < n:
            half *= 2
        if m <= half:
            before, after = roots(m, half, whole)
            return before, pair(after, left.pop(0))
        before, after = roots(m - half, n - half, False)
        hashed = left.pop(0)
        return pair(hashed, before), pair(hashed, after)

    try:
        found = roots(old_size, new_size, True)
    except IndexError:
        return False
    return not left and found == (old_root, new_root)


def pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@contextmanager
def serving(witness: Witness) -> Iterator[Witness]:
    """Serve `witness` on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body, kind = 200, "", "text/plain"
            try:
                assert self.path == "/add-checkpoint"
                sent = self.rfile.read(int(self.headers["content-length"])).decode()
                body = witness.add_checkpoint(sent)
            except Refused as refused:
                status, body, kind = refused.status, refused.body, refused.kind
            content = body.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            if status in {301, 302, 307, 308}:
                self.send_header("location", f"http://127.0.0.1:{witness.port}/add-checkpoint")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    witness.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield witness
    finally:
        server.shutdown()
        server.server_close()

"""Who is signed in: a cookie that names a key, signed by us. It never holds the key itself."""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from fastapi import Request, Response

from service import accounts
from service.accounts import NoSuchAccount, NotAuthenticated, Principal
from service.api.errors import CrossSite
from service.api.state import state_of
from service.keys import KeyRing, Purpose
from service.rooms import Rooms

COOKIE = "imprimatur_session"
# A browser takes this name from this very host and over TLS only, so that neither a neighbouring
# host nor somebody on the wire can plant a session of theirs.
SECURE_COOKIE = f"__Host-{COOKIE}"
LASTS = timedelta(hours=12)
_MAX_CHARACTERS = 600
_DOMAIN = b"impr/session/v1/"


def issued(keys: KeyRing, principal: Principal, now: datetime) -> str:
    """Return the cookie of somebody whose key was just checked."""
    until = int((now + LASTS).timestamp())
    payload = f"{principal.key_id} {principal.project} {until}".encode()
    secret = keys.secrets(Purpose.SESSION)[0].secret
    return f"{_encoded(payload)}.{_encoded(_signature(secret, payload))}"


def open_session(request: Request, reply: Response, principal: Principal) -> None:
    """Put a fresh cookie on `reply`, whatever the browser had before."""
    rooms = state_of(request).house.rooms
    reply.set_cookie(
        _cookie(request),
        issued(rooms.keys, principal, rooms.clock()),
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=_is_secure(request),
    )


def close_session(request: Request, reply: Response) -> None:
    """Take the cookie back."""
    reply.delete_cookie(
        _cookie(request), httponly=True, samesite="strict", secure=_is_secure(request)
    )


def signed_in(request: Request, rooms: Rooms) -> Principal:
    """Return who is signed in. The key is looked up each time: a revoked one is out at once.

    Raises:
        NotAuthenticated: nobody, or no longer.
    """
    payload = _opened(request.cookies.get(_cookie(request), ""), rooms.keys)
    key_id, project, until = payload.split(" ")
    now = rooms.clock()
    if now >= datetime.fromtimestamp(int(until), UTC):
        raise NotAuthenticated
    try:
        with rooms.database.reading() as conn:
            key = accounts.key(conn, project, key_id)
            actor = accounts.actor(conn, key.actor)
    except NoSuchAccount as gone:
        raise NotAuthenticated from gone
    expired = key.expires_at is not None and key.expires_at <= now
    if key.revoked_at is not None or expired or actor.disabled_at is not None:
        raise NotAuthenticated
    return Principal(key.actor, key.project, key.roles, key.id)


def require_same_site(request: Request) -> None:
    """Return if a form was sent from a page of ours.

    `Sec-Fetch-Site` is the browser's own word and decides; behind a proxy that rewrites `Host` it
    is the only one that is right. Browsers leave it out on plain HTTP, and old ones everywhere:
    then `Origin` has to be ours.

    Raises:
        CrossSite: from elsewhere, or by something that does not say from where.
    """
    fetched = request.headers.get("sec-fetch-site")
    if fetched is not None:
        if fetched not in {"same-origin", "none"}:
            raise CrossSite
        return
    if not _is_ours(request, request.headers.get("origin", "")):
        raise CrossSite


def _is_ours(request: Request, origin: str) -> bool:
    public = _public_origin(request)
    if origin == public:
        return True
    # A page over plain HTTP is anybody's on the wire, and no page of a service that has TLS.
    return not _is_secure(request) and origin == f"http://{request.headers.get('host', '')}"


def _public_origin(request: Request) -> str:
    public = urlsplit(state_of(request).house.settings.public_url)
    return f"{public.scheme}://{public.netloc}"


def _is_secure(request: Request) -> bool:
    return _public_origin(request).startswith("https://")


def _cookie(request: Request) -> str:
    return SECURE_COOKIE if _is_secure(request) else COOKIE


def _opened(cookie: str, keys: KeyRing) -> str:
    head, _, tail = cookie.partition(".")
    if len(cookie) > _MAX_CHARACTERS:
        raise NotAuthenticated
    try:
        payload, signature = _decoded(head), _decoded(tail)
    except (binascii.Error, ValueError) as broken:
        raise NotAuthenticated from broken
    if not any(
        hmac.compare_digest(_signature(key.secret, payload), signature)
        for key in keys.secrets(Purpose.SESSION)
    ):
        raise NotAuthenticated
    return payload.decode()


def _signature(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, _DOMAIN + payload, hashlib.sha256)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

"""`/v1/audit/disclosures`: one private value with its salt; that it was read is logged first."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from service.accounts import Role
from service.api.fields import body_of, documented
from service.api.state import Asker, RoomsDep
from service.api.words import MAX_INDEX
from service.records import disclosing
from service.records.words import Keeper
from service.wire import JSON, receipt_json

router = APIRouter(prefix="/v1/audit/disclosures", tags=["audit"])


class DisclosureBody(BaseModel):
    """Which value: the entry's number, and the field among its commitments."""

    model_config = ConfigDict(extra="forbid", strict=True)
    index: int = Field(ge=0, le=MAX_INDEX)
    field: str = Field(pattern=r"^[A-Za-z0-9_.:/@-]{1,100}$")


Wanted = Annotated[DisclosureBody, Depends(body_of(DisclosureBody))]


@router.post("", openapi_extra=documented(DisclosureBody))
def create_disclosure(asker: Asker, rooms: RoomsDep, body: Wanted) -> JSON:
    """Return a value to an auditor of the project, or to whom it is about."""
    reader = Keeper(asker.actor, asker.project, Role.AUDITOR in asker.roles)
    shown = disclosing.disclosed(rooms, reader, body.index, body.field)
    return {
        "object": "audit.disclosure",
        "index": shown.value.index,
        "field": shown.value.field,
        "subject": shown.value.subject,
        "text": shown.value.text,
        "salt": shown.value.salt,
        "commitment": shown.value.commitment,
        "check": disclosing.CHECK,
        "proof_url": shown.entry.proof_url,
        "receipt": receipt_json(shown.receipt),
    }

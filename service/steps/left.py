"""What a finished step left, read back as what it promised."""

from service.jobs import Fields
from service.steps.run import StepDamaged


def text_of(result: Fields, key: str) -> str:
    """Return a text.

    Raises:
        StepDamaged: it is missing or something else.
    """
    value = result.get(key)
    if not isinstance(value, str):
        raise StepDamaged(f"an earlier step left no {key}")
    return value


def texts_of(result: Fields, key: str) -> tuple[str, ...]:
    """Return a list of texts.

    Raises:
        StepDamaged: it is missing or something else.
    """
    value = result.get(key)
    if not isinstance(value, list):
        raise StepDamaged(f"an earlier step left no {key}")
    return tuple(str(one) for one in value)


def pairs_of(result: Fields, key: str) -> dict[str, str]:
    """Return a mapping of texts.

    Raises:
        StepDamaged: it is missing or something else.
    """
    value = result.get(key)
    if not isinstance(value, dict):
        raise StepDamaged(f"an earlier step left no {key}")
    return {str(name): str(one) for name, one in value.items()}

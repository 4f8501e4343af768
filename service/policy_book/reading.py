"""A YAML document as plain values, and on which line each of them stands."""

from collections.abc import Sequence

import yaml

Plain = dict[str, "Plain"] | list["Plain"] | str | int | float | bool | None
Path = tuple[str | int, ...]

_MAX_BYTES = 256 << 10
_MAX_DEPTH = 12


class NotYaml(Exception):
    """It cannot be read; the message says where."""


class Lines:
    """Where in a document its values stand."""

    def __init__(self) -> None:
        self._of: dict[Path, int] = {}

    def put(self, path: Path, line: int) -> None:
        """Remember the line of a value."""
        self._of[path] = line

    def at(self, path: Sequence[str | int]) -> int:
        """Return the line, from 1, of a value, or of the innermost one around it."""
        inner = tuple(path)
        while inner and inner not in self._of:
            inner = inner[:-1]
        return self._of.get(inner, 1)


def read(document: bytes) -> tuple[Plain, Lines]:
    """Return what the document holds.

    Raises:
        NotYaml: it is too long, nested too deep, not YAML, has a key twice, or an anchor.
    """
    if len(document) > _MAX_BYTES:
        raise NotYaml(f"the document has over {_MAX_BYTES} bytes: shorten it")
    try:
        text = document.decode()
        # Before composing: that goes as deep as the document does.
        _require_flat(text)
        node = yaml.compose(text, yaml.SafeLoader)
        lines = Lines()
        return (None if node is None else _Composed(lines).value(node, ())), lines
    except UnicodeDecodeError as broken:
        raise NotYaml(f"byte {broken.start} is not UTF-8: save the document as UTF-8") from None
    except yaml.YAMLError as broken:
        raise NotYaml(f"not YAML: {_where(broken)}") from broken


def _require_flat(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise NotYaml(f"line {line}: no anchors and aliases here: write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise NotYaml(f"line {line}: nested over {_MAX_DEPTH} deep")


class _Composed(yaml.SafeLoader):
    """Turns nodes into plain values; scalars as SafeLoader has them."""

    def __init__(self, lines: Lines) -> None:
        super().__init__("")
        self._lines = lines

    def value(self, node: yaml.Node, path: Path) -> Plain:
        self._lines.put(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, (*path, number)) for number, one in enumerate(node.value)]
        try:
            made = self.construct_object(node)
        except (AttributeError, LookupError, ValueError) as broken:
            # Of a tag that the text does not fit; PyYAML lets what Python raised through.
            line, kind = node.start_mark.line + 1, node.tag.rpartition(":")[2]
            raise NotYaml(f"line {line}: this is no {kind}: quote it if it is a text") from broken
        # A date is written without quotes as often as with them.
        return made if isinstance(made, str | int | float | bool | None) else str(node.value)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> Plain:
        made: dict[str, Plain] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise NotYaml(f"line {line}: a key is a word")
            key = str(key_node.value)
            if key in made:
                raise NotYaml(f"line {line}: the key {key[:60]!r} is there twice: remove one")
            made[key] = self.value(value_node, (*path, key))
        return made


def _where(broken: yaml.YAMLError) -> str:
    mark = getattr(broken, "problem_mark", None)
    said = getattr(broken, "problem", None) or type(broken).__name__
    return f"line {mark.line + 1}, column {mark.column + 1}: {said}" if mark else str(said)

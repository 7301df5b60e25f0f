"""Messages as JSON, in the standard mapping of protobuf, with proto field names. None of them holds
a map or a type of google.protobuf, which have mappings of their own.

Fields keep the names of the contract (every conforming parser takes them as well as camel case), so
that the path of a violation is the path in the file.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, TypeVar

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from steer.unique import unique
from steer.wire.check import Check

M = TypeVar("M", bound=Message)

# A field's descriptor; its class depends on how protobuf was built.
Field = Any


def to_json(message: Message) -> str:
    """A message as indented JSON; bytes are base64."""
    plain = MessageToDict(message, preserving_proto_field_name=True)
    return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"


def digest(plain: Any) -> str:
    """``sha256:`` and hex digits over a JSON value: its text with sorted keys and no spaces."""
    canonical = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def from_json(text: str, kind: type[M], check: Check) -> M:
    """The message in a JSON text. Every field that is unknown or has no possible value is told;
    the message is empty then."""
    message = kind()
    try:
        plain = json.loads(text, object_pairs_hook=unique)
        _judge(plain, kind, check)
        if not check.found:
            ParseDict(plain, message)
    except RecursionError:
        check.fail("MALFORMED", "is nested too deeply; give less")
    except (ValueError, ParseError) as error:
        check.fail("MALFORMED", f"can not be read ({error}); give JSON of {kind.DESCRIPTOR.name}")
    return kind() if check.found else message


def _judge(plain: Any, kind: type[Message], check: Check) -> None:
    known = kind.DESCRIPTOR
    if not isinstance(plain, dict):
        check.fail("MALFORMED", f"is {_short(plain)}; give an object, a {known.name}")
        return
    chosen: dict[str, str] = {}
    for key, value in plain.items():
        field = known.fields_by_name.get(key) or known.fields_by_camelcase_name.get(key)
        at = check.at(key)
        if field is None:
            names = ", ".join(known.fields_by_name)
            at.fail("UNKNOWN_FIELD", f"is no field of {known.name}; give one of {names}")
        elif value is not None:
            other = chosen.setdefault(_choice(field), key)
            if other != key:
                at.fail("CONTRADICTORY", f"is given besides {other}; give only one of them")
            _judge_field(field, kind, value, at)


def _choice(field: Field) -> str:
    """What may be given once: a field, or one field of a ``oneof``."""
    group = field.containing_oneof
    return str(field.name if group is None else group.full_name)


def _judge_field(field: Field, kind: type[Message], value: Any, check: Check) -> None:
    for item, at in _items(field, value, check):
        if field.message_type is not None:
            _judge(item, GetMessageClass(field.message_type), at)
            continue
        try:
            ParseDict({field.name: [item] if field.is_repeated else item}, kind())
        except ParseError as error:
            at.fail("MALFORMED", f"is {_short(item)}; give what fits its type ({error})")


def _items(field: Field, value: Any, check: Check) -> Iterator[tuple[Any, Check]]:
    if not field.is_repeated:
        yield value, check
    elif isinstance(value, list):
        yield from ((item, check.item(i)) for i, item in enumerate(value))
    else:
        check.fail("MALFORMED", f"is {_short(value)}; give a list")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"

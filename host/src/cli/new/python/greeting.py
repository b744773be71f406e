"""What is answered, apart from how a request comes and goes."""

import json
import re

# Who is greeted when nobody is named.
ANYONE = "World"


def answer(body: bytes) -> tuple[int, str]:
    """The status and the text of the answer to a request with this body.

    JSON without a name (null, "", zero, false, no such member, no object at all) greets the world; a name that is no
    string is greeted as it is written.
    """
    try:
        return 200, f"Hello {name(body) or ANYONE}!"
    except ValueError as error:
        print(f"Error decoding JSON: {error}")
        return 400, "JSON Error"


def name(body: bytes) -> str | None:
    """The member "name" of the body, if it has one that says something."""
    text = body.decode()
    if depth(text) > DEEPEST:
        raise ValueError(f"more than {DEEPEST} arrays and objects stand in each other")
    document = JSON.decode(text)
    if not isinstance(document, dict):
        return None
    value = members(text).get("name")
    if value is None or value in ("null", "false") or ZERO.fullmatch(value):
        return None
    return text_of(value) if value.startswith('"') else value


def depth(text: str) -> int:
    """How many arrays and objects stand in each other."""
    level = deepest = 0
    for token in STRUCTURE.finditer(text):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        deepest = max(deepest, level)
    return deepest


def members(text: str) -> dict[str, str]:
    """The members of the object that is `text`: each name, and the value as it is written."""
    found = {}
    at = BETWEEN.match(text, text.index("{") + 1).end()
    while text[at] != "}":
        _, end = JSON.raw_decode(text, at)
        key = text_of(text[at:end])
        at = BETWEEN.match(text, end).end()
        _, end = JSON.raw_decode(text, at)
        found[key] = text[at:end]
        at = BETWEEN.match(text, end).end()
    return found


def text_of(value: str) -> str:
    """What a JSON string says. Half of a surrogate pair is no text: encode() refuses it."""
    text = JSON.decode(value)
    text.encode()
    return text


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


# Numbers stay as they are written: Python's own have bounds, and NaN and Infinity, which are not JSON.
JSON = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=refuse)
# Python reads what stands in each other by calls in each other, and a component's stack is small.
DEEPEST = 200
# Brackets, and strings, whose brackets do not count.
STRUCTURE = re.compile(r'"(?:[^"\\]|\\.?)*"?|[\[\]{}]')
# What stands between the names and the values of an object.
BETWEEN = re.compile(r"[ \t\n\r,:]*")
# Zero, however it is written: 0, -0.0, 0e9.
ZERO = re.compile(r"-?0(\.0+)?([eE].*)?")

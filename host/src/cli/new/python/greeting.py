"""What is answered, apart from how a request comes and goes."""

import json


def answer(body: bytes) -> tuple[int, str]:
    """The status and the text of the answer to a request with this body."""
    try:
        request = json.loads(body)
    except ValueError as error:
        print(f"Error decoding JSON: {error}")
        return 400, "JSON Error"
    name = request.get("name") if isinstance(request, dict) else None
    return 200, f"Hello {name or 'World'}!"

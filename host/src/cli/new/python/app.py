"""The WASI HTTP side: reads the body, writes the answer."""

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)

from greeting import answer

# The largest body that is read, in bytes.
LARGEST_BODY = 1 << 20
# The most that is written at once, in bytes.
CHUNK = 4096


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        body = read(request)
        status, text = (413, "Body Too Large") if len(body) > LARGEST_BODY else answer(body)
        # What is printed becomes a log entry.
        print(text)
        respond(response_out, status, text.encode())


def read(request: IncomingRequest) -> bytes:
    """The body; of one that is too large, the beginning."""
    body = b""
    with request.consume() as incoming, incoming.stream() as stream:
        while len(body) <= LARGEST_BODY:
            try:
                body += stream.blocking_read(64 * 1024)
            except Err as error:
                if isinstance(error.value, StreamError_Closed):
                    break
                raise
    return body


def respond(out: ResponseOutparam, status: int, text: bytes) -> None:
    content_type = ("content-type", b"text/plain; charset=utf-8")
    response = OutgoingResponse(Fields.from_list([content_type]))
    response.set_status_code(status)
    body = response.body()
    ResponseOutparam.set(out, Ok(response))
    with body.write() as stream:
        for start in range(0, len(text), CHUNK):
            stream.blocking_write_and_flush(text[start : start + CHUNK])
    OutgoingBody.finish(body, None)

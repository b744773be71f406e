"""Greets whom the body of the request names, and says how many it has greeted."""

import componentize_py_async_support
import wit_world

from componentize_py_types import Ok
from wit_world import exports
from wit_world.imports.wasi_http_types import Fields, Request, Response

greeted = 0


class Handler(exports.Handler):
    async def handle(self, request: Request) -> Response:
        global greeted
        greeted += 1
        print(f"request {greeted}")
        reader, _ = Request.consume_body(request, nothing_to_tell())
        name = b""
        with reader:
            while not reader.writer_dropped:
                name += await reader.read(16 * 1024)
        writer, body = wit_world.byte_stream()
        text = b"Hello " + name + b" for the " + str(greeted).encode() + b".\n"
        componentize_py_async_support.spawn(write(writer, text))
        return Response.new(Fields(), body, no_trailers())[0]


async def write(writer, text: bytes) -> None:
    with writer:
        await writer.write_all(text)


def no_trailers():
    return wit_world.result_option_wasi_http_types_fields_wasi_http_types_error_code_future(lambda: Ok(None))[1]


def nothing_to_tell():
    return wit_world.result_unit_wasi_http_types_error_code_future(lambda: Ok(None))[1]

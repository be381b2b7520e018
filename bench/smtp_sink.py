"""A mail server that takes every mail and keeps none, as cheaply as can be: `python -m bench.smtp_sink PORT`.

What a sender costs is to be measured, not a mail server: one that parses each mail takes more than a sender.
"""

import asyncio
import sys

_END = b"\r\n.\r\n"
_ANSWERS = {b"EHLO": b"250-sink\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


class Sink(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._rest, self._in_mail = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer each command, and each mail at its end."""
        self._rest += data
        while True:
            text, found, rest = self._rest.partition(_END if self._in_mail else b"\r\n")
            if not found:
                return
            self._rest = rest
            command = b"" if self._in_mail else text[:4].upper()
            self._transport.write(_ANSWERS.get(command, b"250 Ok: queued as 1\r\n"))
            self._in_mail = command == b"DATA"
            if command == b"QUIT":
                self._transport.close()


async def serve(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))

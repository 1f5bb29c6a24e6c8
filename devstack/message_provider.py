"""A stand-in for the WhatsApp Business Cloud API, on loopback: takes templates, or fails."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class MessageProvider:
    """A server for the length of a block. While it `fails`, each request is 503. `asked` counts them."""

    def __init__(self) -> None:
        self.fails = False
        self.asked = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                provider.asked += 1
                body = b'{"messages": [{"id": "wamid.stand-in"}]}'
                self.send_response(503 if provider.fails else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="message-provider", daemon=True)

    @property
    def url(self) -> str:
        """Where templates are posted."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/messages"

    def __enter__(self) -> MessageProvider:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

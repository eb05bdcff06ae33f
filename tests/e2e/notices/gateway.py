"""An SMS gateway over HTTP. Usage: gateway.py PORT. What is asked is written to stdout, a line of JSON
each; a line `busy N` on stdin answers the next N with 503, `sly N` with 200 and no success, `refuse N` with a
number that is refused, `away N` closes the connection without an answer."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LEFT = {"busy": 0, "sly": 0, "refuse": 0, "away": 0}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        seen = {"event": "post", "key": self.headers["x-key"], "body": json.loads(body)}
        kind = next((kind for kind, left in LEFT.items() if left), None)
        print(json.dumps({**seen, "answer": kind or "taken"}), flush=True)
        if kind:
            LEFT[kind] -= 1
        status, answer = {
            "busy": (503, "try later"),
            "sly": (200, '{"status":"error"}'),
            "refuse": (200, '{"status":"error","code":"invalid_number"}'),
            None: (200, '{"status":"ok","data":{"id":"http-1"}}'),
        }.get(kind, (0, ""))
        if not status:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"event": "listening"}), flush=True)
for line in sys.stdin:
    what, count = line.split()
    LEFT[what] = int(count)

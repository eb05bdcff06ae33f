"""A central directory (Merkezi KEP Rehberi) for tests: the interface of docs/directory.md over HTTP, in a
process of its own. Prints its port on the first line. /control sets how it behaves and tells what it has:

  good     as it should be            slow     says nothing for a minute
  wrong    HTTP 500                   page     a page of HTML with status 200
  huge     more than anybody reads    odd      some entries are not well-formed
  refuse   HTTP 422 to what it is told         cut      hangs up in the middle of an answer
  moved    a redirect to another place
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = sys.argv[1] if len(sys.argv) > 1 else ""
LOCK = threading.Lock()
STATE = {"mode": "good", "entries": {}, "others": [], "asked": [], "told": 0}


class Central(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def body(self):
        length = int(self.headers.get("content-length") or 0)
        return json.loads(self.rfile.read(length) or b"null")

    def is_known(self):
        return not TOKEN or self.headers.get("authorization") == "Bearer " + TOKEN

    def misbehaves(self):
        mode = STATE["mode"]
        if mode == "slow":
            time.sleep(60)
        elif mode == "wrong":
            self.answer(500, {"error": "a fault of mine"})
        elif mode == "page":
            self.answer(200, b"<html>bak\xfdm</html>", "text/html")
        elif mode == "huge":
            self.answer(200, b'{"entries":["' + b"x" * (4 << 20) + b'"]}')
        elif mode == "cut":
            self.send_response(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b'{"entries":[')
            self.close_connection = True
        elif mode == "moved":
            self.send_response(307)
            self.send_header("location", "/control")
            self.send_header("content-length", "0")
            self.end_headers()
        else:
            return False
        return True

    def do_GET(self):
        with LOCK:
            self.answer(200, STATE)

    def do_POST(self):
        body = self.body()
        if self.path == "/control":
            with LOCK:
                STATE.update(body)
            return self.answer(200, {})
        if not self.is_known():
            return self.answer(401, {"error": "who are you"})
        if self.path not in ("/v1/query", "/v1/check"):
            return self.answer(404, {"error": self.path})
        with LOCK:
            STATE["asked"].append(body.get("query") or body["addresses"])
        if self.misbehaves():
            return None
        with LOCK:
            if self.path == "/v1/check":
                found = [e for e in STATE["others"] if e["address"] in body["addresses"]]
                body["limit"] = len(found)
            else:
                found = [e for e in STATE["others"] if fits(e, body["query"])]
        more = len(found) > body["limit"]
        if STATE["mode"] == "odd":
            found = found + [{"address": "a@example.com", "kind": "person"}, 7, {"kind": "person"}]
        return self.answer(200, {"entries": found[: body["limit"]] if more else found, "more": more})

    def do_PUT(self):
        told = self.body()
        self.change(lambda address: (told["revision"], told))

    def do_DELETE(self):
        _, _, revision = self.path.partition("?revision=")
        self.change(lambda address: (int(revision), None))

    def change(self, made):
        if not self.is_known():
            return self.answer(401, {"error": "who are you"})
        if STATE["mode"] == "refuse":
            return self.answer(422, {"error": "kimlik no gerekir"})
        if self.misbehaves():
            return None
        address = self.path.split("?")[0].rsplit("/", 1)[-1]
        revision, told = made(address)
        if self.headers.get("idempotency-key") != f"{address}/{revision}":
            return self.answer(400, {"error": "no key"})
        with LOCK:
            known = STATE["entries"].get(address, {"revision": 0})["revision"]
            if revision <= known:
                return self.answer(409, {"known": known})
            STATE["entries"][address] = {"revision": revision, "told": told}
            STATE["told"] += 1
        return self.answer(200, {})


def fits(entry, query):
    keys = [key for key in query if key not in ("kind", "identity")]
    of_kind = query["kind"] in ("address", entry["kind"])
    return of_kind and all(entry.get(key) == query[key] for key in keys)


server = ThreadingHTTPServer(("127.0.0.1", 0), Central)
print(server.server_address[1], flush=True)
server.serve_forever()

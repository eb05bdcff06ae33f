"""Who logs in: sessions, factors, an SMS gateway and a smarthost that keep what they are told, an authenticator
in software, signatures by openssl. One person (OWN) makes the requests, another (OTHER) forgets his password.

KEP_PEOPLE is a JSON object: kep, conf, by (to call the command line), own, other (address, password, pem: his
certificate and key in one file each), sms, mail (ports)."""

import base64
import collections
import hashlib
import hmac
import json
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from aiosmtpd.controller import Controller

API = os.environ["KEP_API"]
SAID = json.loads(os.environ["KEP_PEOPLE"])
OWN, OTHER = SAID["own"], SAID["other"]
FULL = "@dolu.example.org"
RP, ORIGIN = "kep.example", "https://kep.example"
PHONE = {OWN["address"]: "+905320000001", OTHER["address"]: "+905320000002"}
MAILBOX = {OWN["address"]: "own@example.org", OTHER["address"]: "other@example.org"}
WORK = pathlib.Path(tempfile.mkdtemp(dir=os.environ["KEP_SEED"]))
texts = collections.defaultdict(list)

web = requests.Session()
web.verify = os.environ["KEP_CA"]
web.trust_env = False


class Gateway(BaseHTTPRequestHandler):
    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["content-length"])))
        texts["+" + said["to"].lstrip("+")].append(said["text"])
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Smarthost:
    async def handle_RCPT(self, server, session, envelope, address, options):
        # What goes there waits.
        if address.endswith(FULL):
            return "452 full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        text = envelope.content.decode()
        if "base64" in text:
            text = base64.b64decode(text.split("\r\n\r\n", 1)[1]).decode()
        for to in envelope.rcpt_tos:
            texts[to].append(text.replace("=\r\n", ""))
        return "250 taken"


def told(place, since, pattern):
    """What matches in the first text that comes to a place after so many."""
    for _ in range(1200):
        for text in texts[place][since:]:
            found = re.search(pattern, text)
            if found:
                return found.group(1)
        time.sleep(0.05)
    raise AssertionError(f"nothing came to {place}: {texts[place][since:]}")


def post(path, body=None, session=None):
    headers = {"Authorization": f"Bearer {session}"} if session else {}
    answer = web.post(API + path, json=body, headers=headers)
    return answer.json() if answer.content else {}


def ask(method, path, session, body=None):
    return web.request(method, API + path, json=body, headers={"Authorization": f"Bearer {session}"})


def openssl(*arguments, given=b""):
    ran = subprocess.run(["openssl", *arguments], input=given, capture_output=True, cwd=WORK, check=True)
    return ran.stdout


def signed(who, text):
    (WORK / "text").write_bytes(text.encode())
    openssl("cms", "-sign", "-cades", "-binary", "-in", "text", "-signer", who["certificate"], "-inkey", who["key"],
            "-outform", "DER", "-out", "cms")
    return base64.b64encode((WORK / "cms").read_bytes()).decode()


def log_in(who):
    return post("/login/password", {"user": who["address"], "password": who["password"]})["token"]


def step_up(session):
    token = post("/session/step-up", session=session)["token"]
    asked = post("/login/second/signature", {"token": token})
    shown = {"signature": signed(OWN, asked["text"])}
    said = post("/login/second", {"token": asked["token"], "shown": shown})
    assert said["state"] == "stepped", said


def fresh():
    """Another session of the person who makes the requests, with few beside it: of very many the server lets go
    those that are longest unused, and the one that all requests are made by is not to be among them."""
    ask("PUT", "/factors", MAIN, {"asked": False})
    if len(ask("GET", "/sessions", MAIN).json()["sessions"]) > 50:
        ask("DELETE", "/sessions", MAIN)
    return log_in(OWN)


def step():
    return post("/session/step-up", session=MAIN)["token"]


def prove(who, reach):
    before = len(texts[reach])
    kep = [SAID["kep"], "account", "notice"]
    conf = [*SAID["by"], "--conf", SAID["conf"]]
    subprocess.run([*kep, "add", who["address"], reach, "--events", "certificate", *conf], check=True,
                   capture_output=True)
    code = told(reach, before, r"\b(\d{6})\b")
    subprocess.run([*kep, "verify", who["address"], reach, code, *conf], check=True, capture_output=True)


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Passkey:
    """WebAuthn Level 2: ES256, no attestation."""

    def __init__(self):
        self.id, self.count, self.file = os.urandom(16), 0, str(WORK / os.urandom(4).hex())
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.file)
        self.point = openssl("ec", "-in", self.file, "-pubout", "-outform", "DER")[-64:]

    def data(self, flags):
        self.count += 1
        return hashlib.sha256(RP.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def client(self, kind, options):
        said = {"type": f"webauthn.{kind}", "challenge": options["challenge"], "origin": ORIGIN, "crossOrigin": False}
        return json.dumps(said).encode()

    def answer(self, response):
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "clientExtensionResults": {},
                "response": response}

    def create(self, options):
        cose = bytes.fromhex("a5010203262001215820") + self.point[:32] + bytes.fromhex("225820") + self.point[32:]
        data = self.data(0x45) + bytes(16) + struct.pack(">H", 16) + self.id + cose
        made = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58" + bytes([len(data)]) + data
        client = self.client("create", options)
        return self.answer({"clientDataJSON": b64(client), "attestationObject": b64(made), "transports": []})

    def get(self, options):
        data, client = self.data(0x05), self.client("get", options)
        signature = openssl("dgst", "-sha256", "-sign", self.file, given=data + hashlib.sha256(client).digest())
        return self.answer({"clientDataJSON": b64(client), "authenticatorData": b64(data),
                            "signature": b64(signature), "userHandle": None})


def register():
    """A passkey of the person who makes the requests, with few beside it."""
    for old in ask("GET", "/passkeys", MAIN).json()["passkeys"][4:]:
        ask("DELETE", f"/passkeys/{old['id']}", MAIN)
    key, asked = Passkey(), post("/passkeys/options", session=MAIN)
    return key, {"token": asked["token"], "answer": key.create(asked["options"])}


def registered():
    key, body = register()
    post("/passkeys", {**body, "name": "Deneme"}, session=MAIN)
    return key


def totp(secret):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    number = struct.unpack(">I", mac[mac[19] & 15:][:4])[0] & 0x7FFFFFFF
    return f"{number % 1000000:06}"


def enrolled(confirmed):
    ask("PUT", "/factors", MAIN, {"asked": False})
    ask("DELETE", "/factors/app", MAIN)
    secret = post("/factors/app", session=MAIN)["secret"]
    if confirmed:
        post("/factors/app/confirm", {"code": totp(secret)}, session=MAIN)
    return totp(secret)


def no_app():
    ask("PUT", "/factors", MAIN, {"asked": False})
    ask("DELETE", "/factors/app", MAIN)


def text_of(path):
    asked = post(path)
    return {"token": asked["token"], "signature": signed(OTHER, asked["text"])}


def by_passkey():
    key, asked = registered(), post("/login/passkey/options")
    return {"token": asked["token"], "answer": key.get(asked["options"])}


def which():
    several = post("/login/signature", text_of("/login/signature/text"))
    return {"token": several["token"], "address": OTHER["address"]}


def by_link():
    phone, mailbox = PHONE[OTHER["address"]], MAILBOX[OTHER["address"]]
    sms, mail = len(texts[phone]), len(texts[mailbox])
    post("/password/forgotten", {"user": OTHER["address"]})
    token = told(mailbox, mail, r"#([A-Za-z0-9_-]{43})")
    return {"token": token, "code": told(phone, sms, r"\b(\d{6})\b"), "password": OTHER["password"]}


def certificate():
    der = openssl("x509", "-in", OWN["certificate"], "-outform", "DER")
    return {"certificate": base64.b64encode(der).decode(), "use": "both"}


def a_fingerprint():
    post("/certificates", certificate(), session=MAIN)
    return ask("GET", "/certificates", MAIN).json()["certificates"][0]["fingerprint"]


def an_app_password():
    for old in ask("GET", "/app-passwords", MAIN).json()["passwords"][8:]:
        ask("DELETE", f"/app-passwords/{old['id']}", MAIN)
    return post("/app-passwords", {"name": "Deneme"}, session=MAIN)["made"]["id"]


def few_tokens():
    for old in ask("GET", "/tokens", MAIN).json()["tokens"]:
        if old["name"] not in ("schemathesis",) and not old["name"].startswith("spare"):
            ask("DELETE", f"/tokens/{old['id']}", MAIN)
    return {}


def a_session():
    own = ask("GET", "/session", fresh()).json()["session"]["id"]
    return own


# By operation id: what makes of a body one that leads somewhere; what is not named stays as it was made up.
BODIES = {
    "logInByPassword": lambda: {"user": OTHER["address"], "password": OTHER["password"]},
    "logInByPasskey": by_passkey,
    "logInBySignature": lambda: {**text_of("/login/signature/text"), "user": OTHER["address"]},
    "chooseAccount": which,
    "logInByCertificate": lambda: {"user": OTHER["address"]},
    "showSecondFactor": lambda: {"token": step(), "shown": {"totp": "000000"}},
    "askForSecondPasskey": lambda: {"token": step()},
    "askForSecondSignature": lambda: {"token": step()},
    "askForSecondSms": lambda: {"token": step()},
    "resetPassword": by_link,
    "resetPasswordBySignature": lambda: {
        **text_of("/password/signature/text"), "user": OTHER["address"], "password": OTHER["password"],
    },
    "changePassword": lambda: {"current": OWN["password"], "new": OWN["password"]},
    "chooseFactors": lambda: {"asked": False},
    "confirmApp": lambda: {"code": enrolled(False)},
    "addPasskey": lambda: register()[1],
    "addCertificate": certificate,
    "createToken": few_tokens,
    "createAppPassword": lambda: an_app_password() and {},
}
# What must be so before.
BEFORE = {
    "enrolApp": no_app,
    "removeApp": lambda: enrolled(True),
    "renewBackupCodes": lambda: enrolled(True),
}
PATHS = {
    "endSession": lambda: {"session": a_session()},
    "renamePasskey": lambda: {"passkey": b64(registered().id)},
    "removePasskey": lambda: {"passkey": b64(registered().id)},
    "revokeAppPassword": lambda: {"password": an_app_password()},
    "removeCertificate": lambda: {"fingerprint": a_fingerprint()},
}

threading.Thread(target=ThreadingHTTPServer(("127.0.0.1", SAID["sms"]), Gateway).serve_forever, daemon=True).start()
Controller(Smarthost(), hostname="127.0.0.1", port=SAID["mail"]).start()
# A later round finds what the first has proved.
for who in (OWN, OTHER) if os.environ.get("KEP_ROUND", "0") == "0" else ():
    prove(who, PHONE[who["address"]])
    prove(who, MAILBOX[who["address"]])
MAIN = log_in(OWN)
MAIN_ID = ask("GET", "/session", MAIN).json()["session"]["id"]
step_up(MAIN)

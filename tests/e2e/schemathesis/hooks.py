"""What schemathesis can't know of the API: which messages there are, and what a signed mail is.

Whatever it makes up by itself is sent as it is, too: only a part of the well-formed requests is led to
what is there. KEP_API has the server, KEP_TOKEN the token, KEP_SEED a folder with signed mails (*.eml),
ids of tokens that may be revoked (spare.txt), and room for what is counted (reached.json), over all
runs."""

import collections
import json
import os
import pathlib
import threading
import urllib.parse

import requests
import schemathesis
from hypothesis import strategies as st

import affairs
import book
import boxes
import directory
import exports
import notices
import people
import staff

API = os.environ["KEP_API"]
SEED = pathlib.Path(os.environ["KEP_SEED"])
MAILS = [path.read_bytes() for path in sorted(SEED.glob("*.eml"))]
SPARE = (SEED / "spare.txt").read_text().split()
OWN = os.environ["KEP_TOKEN"][:5]

session = requests.Session()
session.headers["Authorization"] = "Bearer " + os.environ["KEP_TOKEN"]
session.verify = os.environ["KEP_CA"]
session.trust_env = False
lock = threading.Lock()
before = SEED / "reached.json"
before = json.loads(before.read_text()) if before.exists() else {}
asked = collections.Counter(before.get("asked", {}))
reached = collections.Counter(before.get("reached", {}))
operations = set(before.get("operations", []))
turns = collections.Counter()

schemathesis.openapi.media_type("message/rfc822", st.sampled_from(MAILS))


@schemathesis.serializer("message/rfc822")
def mail_as_it_is(context, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


def get(path, **query):
    answer = session.get(API + path, params=query)
    return answer.json() if answer.ok else {}


def draft():
    mail = b"From: ali.veli@hs05.kep.tr\r\nSubject: taslak\r\n\r\nx\r\n"
    answer = session.post(API + "/drafts", data=mail, headers={"Content-Type": "message/rfc822"})
    return answer.json()["key"]


def act(key, what):
    answer = session.post(f"{API}/messages/{key}/{what}")
    return answer.json().get("key", key)


def newest(of, **query):
    found = get("/messages", limit=50, **query).get("messages", [])
    found = [message for message in found if of(message)]
    return found[0]["key"] if found else None


def a_dispatch():
    for mailbox in ("inbox", "archive-in", "all", "trash"):
        key = newest(lambda message: message["kind"] == "dispatch", mailbox=mailbox)
        if key:
            return key
    sealed = newest(lambda message: message["kind"] == "unopened", mailbox="all")
    return act(sealed, "open") if sealed else None


def to_open():
    return newest(lambda message: message["kind"] == "unopened", mailbox="inbox") or a_dispatch()


def a_label():
    found = get("/labels").get("labels", [])
    if not found:
        session.post(API + "/labels", json={"name": "Sözleşmeler"})
        found = get("/labels").get("labels", [])
    return found[0]["key"]


def fresh_label():
    with lock:
        turns["label"] += 1
        number = turns["label"]
    answer = session.post(API + "/labels", json={"name": f"Geçici {number}"})
    return answer.json().get("key") or a_label()


def a_submission():
    found = get("/submissions").get("submissions", [])
    return found[0]["message_id"] if found else None


def an_evidence():
    found = get("/evidence").get("evidence", [])
    return found[0]["id"] if found else None


def a_token():
    with lock:
        return SPARE.pop() if SPARE else None


def a_contact():
    answer = session.post(API + "/contacts", json={"name": "Deneme"})
    return answer.json().get("id")


# By operation id: the words of a path that lead somewhere.
THERE = {
    "showMailbox": lambda: {"mailbox": "inbox"},
    "showMessage": lambda: {"message": a_dispatch()},
    "downloadMessage": lambda: {"message": a_dispatch()},
    "downloadOriginal": lambda: {"message": a_dispatch()},
    "listParts": lambda: {"message": a_dispatch()},
    "downloadPart": lambda: {"message": a_dispatch(), "part": "1"},
    "readMessage": lambda: {"message": a_dispatch()},
    "showTimeline": lambda: {"message": a_dispatch()},
    "openMessage": lambda: {"message": to_open()},
    "changeMessage": lambda: {"message": draft()},
    "moveMessage": lambda: {"message": draft()},
    "archiveMessage": lambda: {"message": draft()},
    "trashMessage": lambda: {"message": draft()},
    "restoreMessage": lambda: {"message": act(draft(), "trash")},
    "deleteMessage": lambda: {"message": act(draft(), "trash")},
    "replaceDraft": lambda: {"message": draft()},
    "discardDraft": lambda: {"message": draft()},
    "showLabel": lambda: {"label": a_label()},
    "changeLabel": lambda: {"label": fresh_label()},
    "deleteLabel": lambda: {"label": fresh_label()},
    "showSubmission": lambda: {"submission": a_submission()},
    "showSubmissionTimeline": lambda: {"submission": a_submission()},
    "showEvidence": lambda: {"evidence": an_evidence()},
    "downloadEvidence": lambda: {"evidence": an_evidence()},
    "revokeToken": lambda: {"token": a_token()},
    "showError": lambda: {"code": "message-unknown"},
    "showContact": lambda: {"contact": a_contact()},
    "changeContact": lambda: {"contact": a_contact()},
    "deleteContact": lambda: {"contact": a_contact()},
    "listDecisions": lambda: {"policy": "read.standart"},
    "decidePolicy": lambda: {"policy": "read.standart"},
}


# Those who lead to what is there, each in a file of its own: words of a path, bodies, and what must be so before.
LEADERS = (people, affairs, book, boxes, directory, exports, notices, staff)
BODIES, BEFORE = {}, {}
for leader in LEADERS:
    THERE.update(leader.PATHS)
    BODIES.update(leader.BODIES)
    BEFORE.update(leader.BEFORE)


def operation_of(case):
    return case.operation.definition.raw.get("operationId")


def may_be_led(case):
    """Well-formed, and not a step of a story that schemathesis tells itself."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive:
        return False
    return "stateful" not in str(meta.phase.name).lower()


@schemathesis.hook
def before_load_schema(context, raw_schema):
    # An example in the document is text, and a mail that is made up here is octets: it takes one of both.
    for item in raw_schema["paths"].values():
        for operation in item.values():
            # What takes nothing has one case.
            if operation.get("parameters") or "requestBody" in operation:
                operations.add(operation["operationId"])
            content = operation.get("requestBody", {}).get("content", {})
            for kind in ("message/rfc822", "text/vcard", "text/csv"):
                content.get(kind, {}).pop("example", None)


@schemathesis.hook
def filter_case(context, case):
    # The token that all requests are made with, and the places where codes are waited for.
    words = case.path_parameters or {}
    return words.get("token") != OWN and str(words.get("place")) not in notices.KEPT


def to_another(case):
    """What the staff does to an account it does not do to those who make the requests, and the session that
    they make them by is ended by nobody: it learns both from what it was answered."""
    words = case.path_parameters or {}
    if words.get("session") == people.MAIN_ID:
        words["session"] = people.a_session()
    address = urllib.parse.unquote(str(words.get("address"))).lower()
    if case.method != "GET" and address in (people.OWN["address"], people.OTHER["address"]):
        words["address"] = staff.TARGET


def told_anew(case):
    """Of a story that is told a second time, the server would say what it made the first time, and that may
    be gone since: each telling has a key of its own."""
    if case.meta is None or "stateful" not in str(case.meta.phase.name).lower():
        return
    for header in list(case.headers or {}):
        if header.lower() == "idempotency-key":
            with lock:
                turns["key"] += 1
                case.headers[header] = f"story-{turns['key']}"


def led_by_body(name, case):
    """What people show when they log in can't be made up, nor what must be so before."""
    if not may_be_led(case) or (name not in BODIES and name not in BEFORE):
        return
    with lock:
        turns[name] += 1
        led = turns[name] % 3 != 0 if name not in FEW else turns[name] <= 2
    if not led:
        return
    if name in BEFORE:
        BEFORE[name]()
    elif isinstance(case.body, dict):
        case.body.update(BODIES[name]())
        if case.body.get("cookie"):
            case.body["cookie"] = False


def another_session(request):
    """Who logs out ends a session of his own: the one that the others are asked by goes on."""
    if request.headers.get("Authorization") == "Bearer " + people.MAIN:
        request.headers["Authorization"] = "Bearer " + people.fresh()
    return request


# Those that may be asked a few times in a quarter of an hour.
FEW = {"resetPassword", "askForSecondSms"}


@schemathesis.hook
def before_call(context, case, kwargs):
    told_anew(case)
    to_another(case)
    name = operation_of(case)
    if name == "logOut":
        kwargs["auth"] = another_session
        return
    if name == "logInByCertificate":
        kwargs["cert"] = (people.OTHER["certificate"], people.OTHER["key"])
    led_by_body(name, case)
    if name not in THERE or not may_be_led(case):
        return
    with lock:
        turns[name] += 1
        led = turns[name] % 3 != 0
    if not led:
        return
    words = THERE[name]()
    if all(words.values()):
        case.path_parameters.update(words)
        if name == "decidePolicy" and isinstance(case.body, dict):
            case.body.update({"value": "24h", "from": None})
        if name == "changeMessage" and isinstance(case.body, dict):
            for list_name in ("add_labels", "remove_labels"):
                if case.body.get(list_name):
                    case.body[list_name] = [a_label()]


@schemathesis.hook
def after_call(context, case, response):
    name = operation_of(case)
    with lock:
        asked[name] += 1
        if 200 <= response.status_code < 300:
            reached[name] += 1
        if sum(asked.values()) % 50 == 0:
            write()


def write():
    said = {"asked": asked, "reached": reached, "operations": sorted(operations)}
    (SEED / "reached.json").write_text(json.dumps(said))


import atexit  # noqa: E402

atexit.register(write)

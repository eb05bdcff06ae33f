"""What the staff does: selin makes the requests, can is the second person and ece the third (KEP_SEED/second.txt,
third.txt: their tokens)."""

import base64
import os
import pathlib
import subprocess
import tempfile
import threading
import time

import requests

import affairs
import people

API = people.API
SEED = pathlib.Path(os.environ["KEP_SEED"])
SELIN, CAN = os.environ["KEP_STAFF_TOKEN"], (SEED / "second.txt").read_text().strip()
ECE = (SEED / "third.txt").read_text().strip()
OWN = people.OWN["address"]
DOMAIN = OWN.split("@")[1]
# Nobody logs in to it: it is suspended and closed.
TARGET = f"hedef@{DOMAIN}"
lock, turns, sealed = threading.RLock(), {"n": 0}, {}

web = requests.Session()
web.verify = os.environ["KEP_CA"]
web.trust_env = False


def ask(method, path, who, body=None):
    answer = web.request(method, API + path, json=body, headers={"Authorization": f"Bearer {who}"})
    return answer.json() if answer.content else {}


def post(path, who, body=None):
    return ask("POST", path, who, body)


def number():
    with lock:
        turns["n"] += 1
        return int(time.time() * 1000) * 100 + turns["n"] % 100


def new_application():
    holder = {"kind": "person", "given_names": "Ali", "surname": "Veli", "identity_number": "10000000146"}
    return {"address": f"basvuru.{number()}@{DOMAIN}", "holder": holder, "contact": {"email": "ali@example.org"}}


def application(*steps):
    """Filed by can, and as far as these steps of his bring it."""
    made = post("/staff/applications", CAN, {**new_application(), "papers": [{"kind": "signed-contract"}]})
    for step in steps:
        post(f"/staff/applications/{made['number']}/{step}", CAN, {})
    return {"application": made["number"]}


def approved():
    """Checked by can, approved by the two others. Its holder is known by nobody's certificate."""
    holder = {"kind": "person", "given_names": "Ali", "surname": "Veli", "nationality": "DE", "passport": "U12345678"}
    made = post("/staff/applications", CAN,
                {**new_application(), "holder": holder, "papers": [{"kind": "signed-contract"}]})
    one = f"/staff/applications/{made['number']}"
    post(f"{one}/check", CAN, {})
    post(f"{one}/approve", ECE)
    post(f"{one}/approve", SELIN)
    return {"application": made["number"]}


HOLDER = {"kind": "person", "given_names": "Ali", "surname": "Veli", "identity_number": "10000000146"}
# What is said of holders of other kinds.
OTHERS = ("nationality", "foreigner_number", "passport", "father", "birth_place", "birth_date", "title", "vkn",
          "mersis", "trade_registry", "registry_office", "detsis", "activity")
KEPT = f"/staff/accounts/{TARGET}"


def kept():
    return ask("GET", KEPT, SELIN)


def account(state):
    """The account that nobody needs, in that state."""
    path, shown = KEPT, kept()
    now = shown["account"]["standing"]["state"]
    if now == "suspended" and state != now:
        post(f"{path}/resume", SELIN)
    if now == "closed" and state != now:
        post(f"{path}/reopen", SELIN, {"identity": HOLDER["identity_number"]})
    if now == "closing" and state != now:
        post(f"{path}/closings/{shown['closings'][0]['number']}/withdraw", SELIN)
    if state == "closing" and now != state:
        post(f"{path}/closings", SELIN, {})
    if state == "suspended" and now != state:
        post(f"{path}/suspend", SELIN, {"reason": "Deneme"})
    if state == "closed" and now != state:
        post(f"{path}/close", SELIN)
    return {"address": TARGET}


def closing():
    account("closing")
    return {"address": TARGET, "closing": kept()["closings"][0]["number"]}


def invoiced():
    ask("PUT", f"{KEPT}/invoice", SELIN, affairs.invoice())
    return {"address": TARGET}


def later():
    """A policy about which something is decided for later."""
    decided = {"value": "90d", "reason": "Deneme", "from": "2099-01-01T00:00:00Z"}
    post("/staff/policies/notice.keep/decisions", SELIN, decided)
    return {"policy": "notice.keep"}


def said():
    found = ask("GET", "/staff/notices?state=sent", SELIN)["notices"]
    return {"notice": found[0]["number"] if found else None}


def unsaid():
    """A notice that waits: the smarthost takes nothing for that place."""
    path = f"/staff/notices?account={TARGET}&state=waiting"
    if not ask("GET", path, SELIN)["notices"]:
        place = f"yer{number()}{people.FULL}"
        kep = [people.SAID["kep"], "account", "notice", "add", TARGET, place, *people.SAID["by"]]
        subprocess.run([*kep, "--conf", people.SAID["conf"]], check=True, capture_output=True)
    found = ask("GET", path, SELIN)["notices"]
    return {"notice": found[0]["number"] if found else None}


def proposal():
    made = post("/staff/holds", CAN, {"address": TARGET, "reason": "2026/17"})
    return {"proposal": made["number"]}


def hold():
    made = post(f"/staff/proposals/{proposal()['proposal']}/approve", SELIN)
    return {"hold": made["made"]}


def certificate():
    """An authority's, made once."""
    with tempfile.TemporaryDirectory() as folder:
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "300", "-subj", "/CN=Mahkeme",
                "-keyout", f"{folder}/key", "-outform", "DER", "-out", f"{folder}/der"]
        subprocess.run(made, check=True, capture_output=True)
        return base64.b64encode(pathlib.Path(folder, "der").read_bytes()).decode()


CERTIFICATE = certificate()


def new_request():
    return {"address": OWN, "from": "2026-11-01", "until": "2026-11-29", "certificate": CERTIFICATE}


def request():
    words = {"authority": "Mahkeme", "file": "2026/1", "basis": "CMK m. 134", "scope": "mails"}
    return {"request": post("/staff/authority-requests", CAN, {**new_request(), **words})["number"]}


def to_hand_out():
    words = request()
    post(f"/staff/authority-requests/{words['request']}/approve", SELIN, {"reason": "Yazı ekte"})
    return words


def handed_out():
    """One for all: its seal is fetched as often as one likes."""
    with lock:
        if not sealed:
            words = to_hand_out()
            one = f"{API}/staff/authority-requests/{words['request']}"
            who = {"Authorization": f"Bearer {SELIN}"}
            web.post(f"{one}/export", headers=who).raise_for_status()
            sealed.update(words, export=web.get(one, headers=who).json()["exports"][0]["number"])
        return dict(sealed)


def target():
    """Opened by the first round."""
    password = SEED / "hedef.password"
    password.write_text("kimsenin bilmediği bir söz\n")
    kep = [people.SAID["kep"], "account", "add", TARGET, "--name", "Hedef", "--password-file", str(password)]
    subprocess.run([*kep, *people.SAID["by"], "--conf", people.SAID["conf"]], check=True, capture_output=True)


PATHS = {
    "showApplication": application,
    "checkApplication": application,
    "approveApplication": lambda: application("check"),
    "refuseApplication": application,
    "withdrawApplication": application,
    "activateApplication": approved,
    "showStaffAccount": lambda: {"address": OWN},
    "suspendAccount": lambda: account("active"),
    "resumeAccount": lambda: account("suspended"),
    "closeAccount": lambda: account("active"),
    "reopenAccount": lambda: account("closed"),
    "changeStaffAccount": lambda: {"address": TARGET},
    "renewStaffContract": lambda: account("active"),
    "requestStaffClosing": lambda: account("active"),
    "withdrawStaffClosing": closing,
    "setStaffHolder": lambda: {"address": TARGET},
    "changeStaffContact": lambda: {"address": TARGET},
    "setStaffInvoice": lambda: {"address": TARGET},
    "removeStaffInvoice": invoiced,
    "cancelPolicy": later,
    "showStaffNotice": said,
    "retryNotice": unsaid,
    "showStaffCredits": lambda: {"address": OWN},
    "listLedger": lambda: {"address": OWN},
    "topUpCredits": lambda: {"address": TARGET},
    "proposeCorrection": lambda: {"address": TARGET},
    "proposeRelease": hold,
    "showAuthorityRequest": request,
    "approveAuthorityRequest": request,
    "refuseAuthorityRequest": request,
    "exportAuthorityRequest": to_hand_out,
    "downloadAuthoritySeal": handed_out,
    "showProposal": proposal,
    "approveProposal": proposal,
    "refuseProposal": proposal,
}
BODIES = {
    "fileApplication": new_application,
    "activateApplication": lambda: {"password": "kimsenin bilmediği bir söz"},
    "proposeHold": lambda: {"address": TARGET, "message_id": None},
    "reopenAccount": lambda: {"identity": HOLDER["identity_number"]},
    "changeStaffAccount": lambda: dict.fromkeys(("signature", "storage", "service", "e_seal", "label_mailboxes"))
    | {"opening": "sealed"},
    "renewStaffContract": lambda: {"months": 1},
    "requestStaffClosing": lambda: {"reason": None},
    "setStaffHolder": lambda: dict.fromkeys(OTHERS) | HOLDER,
    "changeStaffContact": affairs.contact_data,
    "setStaffInvoice": affairs.invoice,
    "fileAuthorityRequest": new_request,
}
BEFORE = {}

if os.environ.get("KEP_ROUND", "0") == "0":
    target()

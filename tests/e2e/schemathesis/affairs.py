"""What an account decides about itself: tasks and hand-overs, contact data and invoices, its contract and its end,
operators. All is about the account of the person who makes the requests."""

import os
import random
import subprocess
import threading
import uuid

import people
from people import MAIN, OWN, SAID, WORK, ask, post

lock = threading.Lock()
numbers = random.Random(int(os.environ.get("KEP_ROUND", "0")) + 2911)
PERSON = {"phone": "+905320000003", "email": "operator@example.org"}


def kep(*arguments):
    subprocess.run([SAID["kep"], "account", *arguments, "--conf", SAID["conf"]], check=True, capture_output=True)


def identity_number():
    """A T.C. kimlik no of nobody: the last two digits check the others."""
    with lock:
        digits = [1] + [numbers.randrange(10) for _ in range(8)]
    digits.append((7 * sum(digits[0::2]) - sum(digits[1::2])) % 10)
    digits.append(sum(digits) % 10)
    return "".join(map(str, digits))


def new_operator():
    return {"given_name": "Ayşe", "surname": "Demir", "identity_number": identity_number(), "title": "Müdür",
            **PERSON, "roles": ["signs"]}


def added():
    return post("/operators", new_operator(), session=MAIN).get("code")


def an_operator(state="active"):
    """Codes are given once: the same one serves as often as it can."""
    found = ask("GET", "/operators?limit=200", MAIN).json()["operators"]
    found = [one for one in found if one["state"] != "ended"]
    code = found[0]["code"] if found else added()
    now = found[0]["state"] if found else "active"
    if now != state:
        post(f"/operators/{code}/{'resume' if state == 'active' else 'suspend'}", session=MAIN)
    return {"operator": code}


def draft():
    name = f"taslak-{uuid.uuid4()}@example.org"
    mail = f"From: {OWN['address']}\r\nMessage-ID: <{name}>\r\nSubject: taslak\r\n\r\nx\r\n".encode()
    people.web.post(people.API + "/drafts", data=mail,
                    headers={"Authorization": f"Bearer {MAIN}", "Content-Type": "message/rfc822"})
    return name


def paper():
    return {"message": draft(), "to": an_operator()["operator"]}


def handed():
    return post("/handovers", paper(), session=MAIN).get("number")


def returned():
    post(f"/handovers/{handed()}/return", {"reason": "Ek eksik"}, session=MAIN)
    found = ask("GET", "/tasks?limit=200", MAIN).json()["tasks"]
    found = [task for task in found if task["kind"] == "returned"]
    return found[0]["number"] if found else None


def closings():
    return ask("GET", "/account/closings", MAIN).json()["closings"]


def an_open_closing():
    found = [one for one in closings() if one["state"] == "open"]
    return found[0]["number"] if found else post("/account/closings", {}, session=MAIN).get("number")


def no_open_closing():
    for one in closings():
        if one["state"] == "open":
            post(f"/account/closings/{one['number']}/withdraw", session=MAIN)


def a_closing():
    return closings()[0]["number"] if closings() else an_open_closing()


def a_signed_closing():
    found = [one for one in closings() if one["stamped"]]
    if not found:
        number = a_closing()
        kep("closing", "receipt", OWN["address"], "--dir", str(WORK))
        return number
    return found[0]["number"]


def contact_data():
    return {"street": "Atatürk Bulvarı 1", "district": "Çankaya", "province": "Ankara", "postal_code": "06420",
            "country": "TR", "phone": "+903125550000", "mobile": "+905325550000", "email": "ali@example.org"}


def invoice():
    return {"title": "Örnek A.Ş.", "tax_office": "Çankaya", "tax_number": "8760052205", "street": "Atatürk Bulvarı 1",
            "district": "Çankaya", "province": "Ankara", "postal_code": "06420", "country": "TR",
            "email": "fatura@example.org"}


def with_invoice():
    ask("PUT", "/account/invoice", MAIN, invoice())


BODIES = {
    "handOver": paper,
    "returnHandover": lambda: {"reason": "Ek eksik"},
    "changeContactData": contact_data,
    "setInvoice": invoice,
    "addOperator": new_operator,
}
BEFORE = {
    "showInvoice": with_invoice,
    "removeInvoice": with_invoice,
    "requestClosing": no_open_closing,
}
PATHS = {
    "dismissTask": lambda: {"task": returned()},
    "returnHandover": lambda: {"handover": handed()},
    "showClosing": lambda: {"closing": a_closing()},
    "withdrawClosing": lambda: {"closing": an_open_closing()},
    "downloadReceipt": lambda: {"closing": a_signed_closing()},
    "downloadReceiptSignature": lambda: {"closing": a_signed_closing()},
    "showOperator": an_operator,
    "changeOperator": an_operator,
    "endOperator": lambda: {"operator": added()},
    "suspendOperator": an_operator,
    "resumeOperator": lambda: an_operator("suspended"),
    "sendOperatorPasswordLink": an_operator,
}

# A contract that ends soon, which a later round finds renewed.
if os.environ.get("KEP_ROUND", "0") == "0":
    kep("renew", OWN["address"], "--months", "1", *SAID["by"])

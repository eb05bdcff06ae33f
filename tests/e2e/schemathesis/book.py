"""Who leads to contacts, their groups, and files of them."""

import itertools
import os
import threading

import requests
import schemathesis
from hypothesis import strategies as st

API = os.environ["KEP_API"]
web = requests.Session()
web.headers["Authorization"] = "Bearer " + os.environ["KEP_TOKEN"]
web.verify = os.environ["KEP_CA"]
web.trust_env = False
numbers, lock = itertools.count(1), threading.Lock()


def number():
    with lock:
        return next(numbers)


def contact():
    """A new one; a book takes many, and not without end."""
    for old in web.get(API + "/contacts", params={"limit": 200}).json()["contacts"][100:]:
        web.delete(f"{API}/contacts/{old['id']}")
    return web.post(API + "/contacts", json={"name": "Deneme"}).json()["id"]


def groups():
    return web.get(API + "/address-book/groups").json()["groups"]


def group():
    for old in groups()[80:]:
        web.delete(f"{API}/address-book/groups/{old['number']}")
    made = web.post(API + "/address-book/groups", json={"name": f"Grup {os.environ.get('KEP_ROUND')} {number()}"})
    return str(made.json().get("number") or groups()[0]["number"])


def member(joined):
    words = {"group": group(), "contact": contact()}
    if joined:
        web.put(API + "/address-book/groups/{group}/members/{contact}".format(**words))
    return words


CARDS = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:led\r\nFN:Ay\xc5\x9fe\r\nEMAIL:ayse@hs01.kep.tr\r\nEND:VCARD\r\n",
    b"BEGIN:VCARD\nVERSION:3.0\nFN:Mehmet\nEMAIL:bozuk@hs1.kep.tr\nEND:VCARD\n",
    b"BEGIN:VCARD\nno colon\nEND:VCARD\n",
)
SHEETS = (b"Ad Soyad;KEP Adresi\r\nAli;ali@hs02.kep.tr\r\n", "Ünvan,Not\nx\n".encode("cp1254"))
schemathesis.openapi.media_type("text/vcard", st.sampled_from(CARDS) | st.binary(max_size=200))
schemathesis.openapi.media_type("text/csv", st.sampled_from(SHEETS) | st.binary(max_size=200))


@schemathesis.serializer("text/vcard", "text/csv")
def as_it_is(context, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


PATHS = {
    "showContactGroup": lambda: {"group": group()},
    "renameContactGroup": lambda: {"group": group()},
    "deleteContactGroup": lambda: {"group": group()},
    "joinContactGroup": lambda: member(False),
    "leaveContactGroup": lambda: member(True),
}
BODIES = {"createContactGroup": lambda: {"name": f"Grup {os.environ.get('KEP_ROUND')} b{number()}"}}
BEFORE = {}

"""Who leads to mailboxes that may be renamed and removed, and to what a message costs."""

import os

from book import API, number, web


def named():
    return f"Kutu {os.environ.get('KEP_ROUND')} {number()}"


def box():
    made = web.post(API + "/mailboxes", json={"name": named()}).json()
    if "number" in made:
        return str(made["number"])
    for old in web.get(API + "/mailboxes").json()["mailboxes"]:
        if old["part"] == "plain":
            return str(old["number"])
    return None


PATHS = {
    "renameMailbox": lambda: {"mailbox": box()},
    "deleteMailbox": lambda: {"mailbox": box()},
}
BODIES = {
    "createMailbox": lambda: {"name": named()},
    "renameMailbox": lambda: {"name": named()},
    "quoteMessage": lambda: {"recipients": ["ayse.yilmaz@hs05.kep.tr", "x@hs01.kep.tr"]},
}
BEFORE = {}

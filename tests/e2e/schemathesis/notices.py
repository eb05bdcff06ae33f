"""Who leads to places of notices. A code costs one of twenty a day: places are made while there are some left, and
those that others need are left alone."""

import itertools
import os
import threading

import people

# A round has its share of the codes; those of `people` are two.
LEFT = [3]
NUMBERS = itertools.count(100 * int(os.environ.get("KEP_ROUND", "0")))
lock = threading.Lock()


def places():
    return people.ask("GET", "/notice-places", people.MAIN).json()["places"]


KEPT = {
    str(place["number"])
    for place in places()
    if place["place"] in (people.PHONE[people.OWN["address"]], people.MAILBOX[people.OWN["address"]])
}
waiting = []


def new():
    return f"yer{next(NUMBERS)}@example.org"


def made():
    """A place that may go; nothing when no code is left for one."""
    with lock:
        mine = [place for place in places() if str(place["number"]) not in KEPT]
        if mine:
            return str(mine[0]["number"]), None
        if LEFT[0] == 0:
            return None, None
        LEFT[0] -= 1
        reach = new()
        added = people.post("/notice-places", {"place": reach}, session=people.MAIN).get("number")
        # Those that were made up have spent the codes, too.
        return (None, None) if added is None else (str(added), reach)


def code():
    place, reach = made()
    waiting[:] = [place]
    return {"code": people.told(reach, 0, r"\b(\d{6})\b") if reach else "000000"}


PATHS = {
    "showNoticePlace": lambda: {"place": made()[0]},
    "changeNoticePlace": lambda: {"place": made()[0]},
    "removeNoticePlace": lambda: {"place": made()[0]},
    "sendNoticeCode": lambda: {"place": made()[0]},
    "verifyNoticePlace": lambda: {"place": (waiting or [made()[0]])[0]},
}
BODIES = {
    "addNoticePlace": lambda: {"place": new(), "wishes": None},
    "changeNoticePlace": lambda: {"quiet": "22:00-08:00", "deputy": None},
    "verifyNoticePlace": code,
}
BEFORE = {}

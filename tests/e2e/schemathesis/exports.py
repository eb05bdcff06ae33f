"""Who leads to exports. An account asks for twenty in a day: one serves all, and those that schemathesis asks for are
as good."""

import book
import people


def export():
    there = people.ask("GET", "/exports", people.MAIN).json()["exports"]
    if not there:
        people.post("/exports", session=people.MAIN)
        there = people.ask("GET", "/exports", people.MAIN).json()["exports"]
    return {"export": str(there[0]["number"])} if there else {"export": None}


def message():
    found = book.web.get(book.API + "/submissions").json().get("submissions", [])
    return {"submission": found[0]["message_id"] if found else None}


PATHS = {"showExport": export, "downloadExport": export, "downloadMessageEvidence": message}
BODIES = {}
BEFORE = {}

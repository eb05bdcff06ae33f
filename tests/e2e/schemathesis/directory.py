"""Who leads to the directory: the other person agrees to be found, and is taken into the address book anew."""

import book
import people

NAME = people.OTHER["address"]


def agreed():
    session = people.log_in(people.OTHER)
    body = {"listed": True, "findable": True, "fields": ["given", "family", "service"]}
    people.ask("PUT", "/directory/consent", session, body)


def not_in_the_book():
    book.web.delete(f"{people.API}/contacts/{NAME}")
    return {"address": NAME}


agreed()
PATHS = {}
BODIES = {
    "queryDirectory": lambda: {"kind": "address", "address": NAME},
    "checkAddresses": lambda: {"addresses": [NAME, "yok@hs05.kep.tr", "x"]},
    "takeFromDirectory": not_in_the_book,
}
BEFORE = {}

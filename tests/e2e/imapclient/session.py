"""What Python's IMAPClient can say, said once. Usage: session.py ACT PORT CA USER PASSWORD"""

import datetime
import ssl
import sys

from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError

TRASH, ALL, OPENING = "Çöp Kutusu", "Tüm Postalar", "Açılacaklar"


def mail(subject, date, references=""):
    lines = [f"Message-ID: <{subject}@istemci.example>", f"Date: {date}", "From: a@x.example"]
    lines += [f"References: {references}"] * bool(references)
    return "\r\n".join([*lines, f"Subject: {subject}", "", f"metin {subject}", ""]).encode()


def greeted(imap):
    name = imap.id_({"name": "IMAPClient", "version": "4"})
    assert name[0][:2] == (b"name", b"kep"), name
    for capability in ["MOVE", "UIDPLUS", "CONDSTORE", "SORT", "THREAD=REFERENCES", "IMAP4REV1"]:
        assert imap.has_capability(capability), capability
    assert imap.namespace().personal == (("", "/"),), imap.namespace()
    quota = imap.get_quota_root("INBOX")
    assert quota[0].quota_roots == [""] and quota[1][0].resource == "MAILBOX", quota


def foreign(imap):
    """What is Google's is absent, and said to be."""
    imap.select_folder("INBOX")
    assert not imap.has_capability("X-GM-EXT-1") and not imap.has_capability("XLIST")
    for call in [lambda: imap.gmail_search("x"), lambda: imap.xlist_folders()]:
        try:
            call()
        except CapabilityError:
            continue
        raise AssertionError("IMAPClient believes it is at Google")
    imap.unselect_folder()


def folders(imap):
    found = {name: flags for flags, _, name in imap.list_folders()}
    assert b"\\Trash" in found[TRASH] and b"\\All" in found[ALL], found
    for use, name in [(b"\\Sent", "Giden Kutusu"), (b"\\Drafts", "Taslaklar"), (b"\\Trash", TRASH)]:
        assert imap.find_special_folder(use) == name, use
    name = "Dosyalar & Öğün/İç ığşçö"
    imap.create_folder(name)
    imap.subscribe_folder(name)
    assert name in [row[2] for row in imap.list_sub_folders()]
    imap.rename_folder(name, "Yığın ₺")
    assert imap.folder_exists("Yığın ₺") and not imap.folder_exists(name)
    imap.delete_folder("Yığın ₺")
    imap.delete_folder("Dosyalar & Öğün")


def messages(imap):
    """Appends, reads, sorts, threads, marks, copies, moves and removes its own."""
    imap.create_folder("İş")
    first = mail("bir", "Mon, 2 Nov 2026 10:00:00 +0300")
    when = datetime.datetime(2026, 11, 2, 7, 0, tzinfo=datetime.timezone.utc)
    said = imap.append("İş", first, flags=["\\Seen", "etiket"], msg_time=when)
    assert b"APPENDUID" in said, said
    more = [mail("iki", "Tue, 3 Nov 2026 10:00:00 +0300", "<bir@istemci.example>"),
            {"msg": mail("uc", "Sun, 1 Nov 2026 10:00:00 +0300"), "flags": ["\\Flagged"]}]
    imap.multiappend("İş", more)
    selected = imap.select_folder("İş")
    assert selected[b"EXISTS"] == 3 and selected[b"UIDNEXT"] == 4, selected
    since = selected[b"HIGHESTMODSEQ"]
    rows = imap.fetch([1, 2, 3], ["ENVELOPE", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY[]",
                                  "BODYSTRUCTURE", "BODY.PEEK[TEXT]<0.5>"])
    assert rows[1][b"BODY[]"] == first and rows[1][b"RFC822.SIZE"] == len(first)
    flags = {uid: set(rows[uid][b"FLAGS"]) for uid in rows}
    assert flags[1] == {b"\\Recent", b"\\Seen", b"etiket"}, flags
    assert flags[3] == {b"\\Recent", b"\\Flagged", b"\\Seen"}, flags
    assert rows[2][b"ENVELOPE"].subject == b"iki" and rows[2][b"BODY[TEXT]<0>"] == b"metin"
    assert imap.sort("DATE") == [3, 1, 2] and imap.sort(["REVERSE SUBJECT"]) == [3, 2, 1]
    assert imap.thread("REFERENCES") == ((3,), (1, 2))
    assert imap.search(["SUBJECT", "bir"]) == [1] and imap.search("UNKEYWORD etiket") == [2, 3]
    assert imap.search(["TEXT", "METİN uc"], charset="UTF-8") == [3], "İ and i are one letter"
    assert imap.search(["MODSEQ", str(since + 1)]).modseq > since
    imap.add_flags(2, ["i=c5=9f", "\\Answered"])
    changed = imap.fetch([1, 2, 3], ["FLAGS"], modifiers=[f"CHANGEDSINCE {since}"])
    assert all(row[b"MODSEQ"][0] > since for row in changed.values()) and 2 in changed, changed
    imap.remove_flags([1, 2, 3], ["\\Seen"])
    assert imap.search("SEEN") == []
    imap.copy([1], TRASH)
    imap.move([2], TRASH)
    imap.delete_messages([1, 3])
    imap.expunge([3])
    assert imap.search("ALL") == [1], "UIDPLUS removes what is named"
    imap.close_folder()
    assert imap.folder_status("İş", ["MESSAGES"]) == {b"MESSAGES": 0}
    imap.delete_folder("İş")
    imap.select_folder(TRASH)
    imap.delete_messages(imap.search("ALL"))
    imap.expunge()


def idles(imap, other):
    imap.select_folder("Taslaklar")
    imap.idle()
    other.append("Taslaklar", mail("taslak", "Mon, 2 Nov 2026 10:00:00 +0300"), flags=["\\Draft"])
    heard = imap.idle_check(timeout=30)
    assert (1, b"EXISTS") in heard, heard
    imap.idle_done()
    imap.delete_messages([1])
    imap.expunge([1])


def names_in_utf8(imap):
    """After ENABLE UTF8=ACCEPT names are no UTF-7; IMAPClient then leaves their coding to its caller."""
    assert imap.enable("UTF8=ACCEPT") == [b"UTF8=ACCEPT"]
    imap.folder_encode = False
    names = [row[2] for row in imap.list_folders()]
    assert TRASH.encode() in names, names


def everything(imap, other):
    greeted(imap)
    foreign(imap)
    folders(imap)
    messages(imap)
    idles(imap, other)


def look(imap, _):
    """All that a list shows, and every search; no content."""
    imap.select_folder("INBOX", readonly=True)
    rows = imap.fetch(imap.search("ALL"), ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "RFC822.SIZE",
                                              "INTERNALDATE", "MODSEQ", "BODY.PEEK[HEADER]",
                                              "BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)]"])
    assert len(rows) == 1, rows
    assert imap.sort("SUBJECT") and imap.thread("ORDEREDSUBJECT")
    assert imap.search(["BODY", "sunulmu"]) == [], "content is found before it was opened"


def download(imap, _):
    """The whole of it, as a program that keeps a copy does."""
    imap.select_folder("INBOX")
    (row,) = imap.fetch(imap.search("ALL"), ["BODY.PEEK[]"]).values()
    sys.stdout.buffer.write(row[b"BODY[]"])


def move(imap, _):
    imap.select_folder("INBOX")
    imap.move(imap.search("ALL"), OPENING)


def connect(port, authority, user, password):
    context = ssl.create_default_context(cafile=authority)
    imap = IMAPClient("localhost", port=int(port), ssl=True, ssl_context=context, timeout=60)
    imap.login(user, password)
    return imap


if __name__ == "__main__":
    act, *where = sys.argv[1:]
    sessions = connect(*where), connect(*where)
    globals()[act](*sessions)
    if act == "everything":
        names_in_utf8(connect(*where))
    for session in sessions:
        session.logout()

"""A smarthost on aiosmtpd: STARTTLS before all else, a login. Usage: smarthost.py PORT CERTIFICATE KEY
What happens is written to stdout, a line of JSON each; a line `busy N` on stdin makes it too busy for the
next N mails, `refuse N` refuses the next N for good."""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

LEFT = {"busy": 0, "refuse": 0}


def say(**what):
    print(json.dumps(what), flush=True)


def login(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"kep", "geçit".encode())
    say(event="login", good=good, tls=session.ssl is not None)
    return AuthResult(success=good)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        for kind, answer in [("busy", "451 later"), ("refuse", "550 5.1.1 nobody of that name")]:
            if LEFT[kind]:
                LEFT[kind] -= 1
                say(event=kind)
                return answer
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say(
            event="mail", tls=session.ssl is not None, sender=envelope.mail_from,
            to=envelope.rcpt_tos, subject=mail["subject"], id=mail["message-id"],
            auto=mail["auto-submitted"], text=mail.get_body().get_content(),
        )
        return "250 taken"


async def main(port, certificate, key):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()

    def one():
        return SMTP(
            Handler(), tls_context=tls, require_starttls=True, authenticator=login,
            auth_required=True, hostname="smarthost.example",
        )

    await loop.create_server(one, "127.0.0.1", port)
    say(event="listening")
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        what, count = line.split()
        LEFT[what] = int(count)


asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))

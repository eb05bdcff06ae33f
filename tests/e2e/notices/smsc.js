// An SMSC as others build them, on npm's `smpp`. Usage: node smsc.js PORT PASSWORD [CERTIFICATE KEY]
// With a certificate it listens over TLS.
// What happens is written to stdout, a line of JSON each; lines on stdin say what to do next:
//   throttle N   the next N submissions are throttled       refuse N    the next N are refused for good
//   hang N       the next N are never answered              receipt STAT  whatever was taken is told of
'use strict';
const smpp = require('smpp');
const fs = require('fs');
const readline = require('readline');

const [port, password, certificate, key] = process.argv.slice(2);
const secured = certificate ? { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) } : {};
const next = { throttle: 0, refuse: 0, hang: 0 };
const taken = [];
const bound = new Set();
let count = 0;
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const once = (what) => next[what] > 0 && next[what]--;

function submitted(session, pdu) {
  const message = pdu.short_message && pdu.short_message.message !== undefined ? pdu.short_message : {};
  const payload = pdu.message_payload;
  const text = payload && payload.message !== undefined ? payload.message : message.message;
  // How the package shows a header has changed; as octets it is the same in all versions.
  const udh = message.udh ? [].concat(message.udh).map((part) => Buffer.from(part).toString('hex')) : [];
  const seen = {
    event: 'submit', to: pdu.destination_addr, from: pdu.source_addr, ton: pdu.source_addr_ton,
    coding: pdu.data_coding, registered: pdu.registered_delivery, text, udh, payload: !!payload,
  };
  if (once('hang')) return say({ ...seen, answer: 'none' });
  if (once('throttle')) {
    say({ ...seen, answer: 'throttled' });
    return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
  }
  if (once('refuse')) {
    say({ ...seen, answer: 'refused' });
    return session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
  }
  const id = `sm${port}-${++count}`;
  taken.push({ id, to: pdu.destination_addr, from: pdu.source_addr });
  say({ ...seen, answer: 'taken', id });
  session.send(pdu.response({ message_id: id }));
}

function receipt(stat) {
  const session = [...bound].pop();
  for (const { id, to, from } of taken.splice(0)) {
    const text = `id:${id} sub:001 dlvrd:001 submit date:2611290100 done date:2611290101 stat:${stat} err:000 text:`;
    session.deliver_sm(
      { source_addr: to, destination_addr: from, esm_class: 4, short_message: text },
      (answer) => say({ event: 'receipt', id, status: answer.command_status }));
  }
}

const server = smpp.createServer(secured, (session) => {
  session.on('error', () => {});
  session.on('close', () => bound.delete(session));
  session.on('bind_transceiver', (pdu) => {
    const good = pdu.password === password;
    say({ event: 'bind', system: pdu.system_id, good, tls: !!session.socket.encrypted });
    if (good) bound.add(session);
    session.send(good ? pdu.response({ system_id: 'smsc' })
      : pdu.response({ command_status: smpp.ESME_RINVPASWD }));
  });
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => { say({ event: 'enquire' }); session.send(pdu.response()); });
  session.on('unbind', (pdu) => { say({ event: 'unbind' }); session.send(pdu.response()); session.close(); });
});
server.listen(Number(port), '127.0.0.1', () => say({ event: 'listening' }));
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [what, value] = line.split(' ');
  if (what === 'receipt') receipt(value); else next[what] = Number(value);
});
process.stdin.on('end', () => process.exit(0));

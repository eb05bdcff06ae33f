-- Evidence counts for nothing in an account's storage: it comes whether there is room or not.
UPDATE mailbox SET octets = COALESCE(
    (SELECT SUM(message.size) FROM message
     WHERE message.mailbox = mailbox.id AND message.kind <> 'evidence'), 0);

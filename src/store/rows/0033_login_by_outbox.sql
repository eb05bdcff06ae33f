-- What people are told about logging in stands in the outbox, as all that is told outside KEP does.
DROP TABLE account_message;

-- An account's questions, page by page.
CREATE INDEX directory_query_log ON directory_query (account, id);

-- Address books: a contact is a vCard, with what it is found by beside it.
CREATE TABLE contact (
    id {id},
    account BIGINT NOT NULL,
    uid TEXT NOT NULL,
    -- What it is called.
    name TEXT NOT NULL,
    -- Its place in the order of names.
    sort_key {bytes} NOT NULL,
    -- Folded, a line each: all that is searched.
    search TEXT NOT NULL,
    -- vCard 4.0, without CATEGORIES: groups are rows.
    card {bytes} NOT NULL,
    -- Of the book: the highest is that of the last change.
    revision BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX contact_uid ON contact (account, uid);
CREATE INDEX contact_order ON contact (account, sort_key, id);
-- Whose an address is: one contact's, within an address book.
CREATE TABLE contact_address (
    account BIGINT NOT NULL,
    address TEXT NOT NULL,
    contact BIGINT NOT NULL,
    PRIMARY KEY (account, address)
){clustered};
CREATE INDEX contact_address_of ON contact_address (contact);
CREATE TABLE contact_group (
    id {id},
    account BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- Folded: two names that people take for the same are one.
    name_key TEXT NOT NULL
);
CREATE UNIQUE INDEX contact_group_name ON contact_group (account, name_key);
CREATE TABLE contact_member (
    contact BIGINT NOT NULL,
    in_group BIGINT NOT NULL,
    PRIMARY KEY (contact, in_group)
){clustered};
CREATE INDEX contact_member_of ON contact_member (in_group);
-- How often an address book was changed.
CREATE TABLE contact_book (
    account BIGINT PRIMARY KEY,
    revision BIGINT NOT NULL
){clustered};

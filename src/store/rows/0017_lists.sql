-- Lists of providers that others publish, each as it was taken the last time.
CREATE TABLE provider_list (
    name TEXT PRIMARY KEY,
    -- `trusted-list` or `csi`.
    kind TEXT NOT NULL,
    -- The URL or file that it came from.
    place TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    next_update BIGINT,
    -- SHA-256 of the whole document.
    digest {bytes} NOT NULL,
    signer TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    -- Where it says other than what is set by hand, a line each.
    conflicts TEXT NOT NULL
);
-- Where lists are fetched, and how that went.
CREATE TABLE provider_list_place (
    url TEXT PRIMARY KEY,
    -- Which list was had there.
    list TEXT NOT NULL,
    tried_at BIGINT NOT NULL,
    had_at BIGINT,
    trouble TEXT NOT NULL,
    -- What the server calls what was taken (RFC 9110 §8.8).
    etag TEXT NOT NULL,
    modified TEXT NOT NULL
);
-- Which provider follows which list, and what of it is set by hand all the same (words, a space
-- between). One that has no row here is set by hand.
CREATE TABLE provider_listed (
    domain TEXT PRIMARY KEY,
    -- Empty: whichever names it.
    list TEXT NOT NULL,
    by_hand TEXT NOT NULL
);
-- Which seals of it the list laid in, by their SHA-256; the others are set by hand.
CREATE TABLE provider_listed_seal (
    domain TEXT NOT NULL,
    digest {bytes} NOT NULL,
    PRIMARY KEY (domain, digest)
){clustered};

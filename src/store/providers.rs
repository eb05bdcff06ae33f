//! Rows of the other providers, and of their seals.

use super::relay;
use super::rows::{Row, RowsError, Tx};
use crate::wire::Timestamp;
use std::collections::HashMap;

/// Another provider's row, with its seals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderRow {
    pub domain: String,
    pub name: String,
    /// Host and port of its relay; nothing, when `route` says how it is found.
    pub host: String,
    /// `mx`, or nothing.
    pub route: String,
    pub state: String,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// Digests in hexadecimal, a space between.
    pub tls_pins: String,
    /// PEM.
    pub tls_ca: String,
    /// `dane`, `mta-sts`, or nothing.
    pub tls_by: String,
    pub client_pins: String,
    pub dialect: String,
    /// Octets of a dispatch.
    pub size_limit: Option<i64>,
    pub added_at: Timestamp,
    /// In the order they came.
    pub seals: Vec<SealRow>,
}

/// A seal certificate, in DER. Without times of its own it is good as long as it says itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealRow {
    pub certificate: Vec<u8>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Adds a provider, or puts another row in its place. Whoever relays looks at what waits for it.
pub fn put(tx: &mut Tx<'_>, row: &ProviderRow) -> Result<(), RowsError> {
    tx.wakes.step(relay::BELL);
    tx.execute(
        "INSERT INTO provider (domain, name, host, state, since, tls_pins, tls_ca, client_pins,
                               dialect, size_limit, added_at, route, tls_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (domain) DO UPDATE SET name = excluded.name, host = excluded.host,
             state = excluded.state, since = excluded.since, tls_pins = excluded.tls_pins,
             tls_ca = excluded.tls_ca, client_pins = excluded.client_pins,
             dialect = excluded.dialect, size_limit = excluded.size_limit,
             route = excluded.route, tls_by = excluded.tls_by",
        &[
            (&row.domain).into(),
            (&row.name).into(),
            (&row.host).into(),
            (&row.state).into(),
            row.since.millis().into(),
            (&row.tls_pins).into(),
            (&row.tls_ca).into(),
            (&row.client_pins).into(),
            (&row.dialect).into(),
            row.size_limit.into(),
            row.added_at.millis().into(),
            (&row.route).into(),
            (&row.tls_by).into(),
        ],
    )?;
    tx.execute("DELETE FROM provider_seal WHERE domain = $1", &[(&row.domain).into()])?;
    for (n, seal) in (1_i64..).zip(&row.seals) {
        tx.execute(
            "INSERT INTO provider_seal (domain, n, certificate, valid_from, valid_until)
             VALUES ($1, $2, $3, $4, $5)",
            &[
                (&row.domain).into(),
                n.into(),
                (&seal.certificate[..]).into(),
                seal.from.map(Timestamp::millis).into(),
                seal.until.map(Timestamp::millis).into(),
            ],
        )?;
    }
    // What waits for it may go on, or ends.
    tx.wakes.step(super::relay::BELL);
    Ok(())
}

/// Keeps others from changing it until this transaction ends (PostgreSQL; SQLite writes one at a time).
pub fn lock(tx: &mut Tx<'_>, domain: &str) -> Result<(), RowsError> {
    if tx.shared() {
        tx.execute("UPDATE provider SET since = since WHERE domain = $1", &[domain.into()])?;
    }
    Ok(())
}

/// The domains that a provider has users under, beside its own.
pub fn domains(tx: &mut Tx<'_>, provider: &str) -> Result<Vec<String>, RowsError> {
    let rows = tx.query(
        "SELECT domain FROM provider_domain WHERE provider = $1 ORDER BY domain",
        &[provider.into()],
    )?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// Puts others in their place; none of them may be another's.
pub fn set_domains(tx: &mut Tx<'_>, provider: &str, domains: &[String]) -> Result<(), RowsError> {
    tx.execute("DELETE FROM provider_domain WHERE provider = $1", &[provider.into()])?;
    for domain in domains {
        tx.execute(
            "INSERT INTO provider_domain (domain, provider) VALUES ($1, $2)",
            &[domain.into(), provider.into()],
        )?;
    }
    Ok(())
}

/// Which provider has users under a domain that is not its own.
pub fn of_domain(tx: &mut Tx<'_>, domain: &str) -> Result<Option<String>, RowsError> {
    let sql = "SELECT provider FROM provider_domain WHERE domain = $1";
    let row = tx.first(sql, &[domain.into()])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

pub fn remove(tx: &mut Tx<'_>, domain: &str) -> Result<bool, RowsError> {
    super::listed_providers::forget(tx, domain)?;
    tx.execute("DELETE FROM provider_domain WHERE provider = $1", &[domain.into()])?;
    tx.execute("DELETE FROM provider_seal WHERE domain = $1", &[domain.into()])?;
    Ok(tx.execute("DELETE FROM provider WHERE domain = $1", &[domain.into()])? == 1)
}

pub fn find(tx: &mut Tx<'_>, domain: &str) -> Result<Option<ProviderRow>, RowsError> {
    let row = tx.first(
        "SELECT domain, name, host, state, since, tls_pins, tls_ca, client_pins, dialect,
                size_limit, added_at, route, tls_by FROM provider WHERE domain = $1",
        &[domain.into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let seals = tx.query(
        "SELECT certificate, valid_from, valid_until FROM provider_seal WHERE domain = $1
         ORDER BY n",
        &[domain.into()],
    )?;
    Ok(Some(provider(&row, seals.iter().map(seal).collect::<Result<_, _>>()?)?))
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<ProviderRow>, RowsError> {
    let rows = tx.query(
        "SELECT domain, name, host, state, since, tls_pins, tls_ca, client_pins, dialect,
                size_limit, added_at, route, tls_by FROM provider ORDER BY domain",
        &[],
    )?;
    let sql = "SELECT certificate, valid_from, valid_until, domain FROM provider_seal
               ORDER BY domain, n";
    let mut seals: HashMap<String, Vec<SealRow>> = HashMap::new();
    for row in tx.query(sql, &[])? {
        seals.entry(row.text(3)?.to_owned()).or_default().push(seal(&row)?);
    }
    let whole = |row: &Row| provider(row, seals.remove(row.text(0)?).unwrap_or_default());
    rows.iter().map(whole).collect()
}

/// The domains alone.
pub fn all_domains(tx: &mut Tx<'_>) -> Result<Vec<String>, RowsError> {
    let rows = tx.query("SELECT domain FROM provider ORDER BY domain", &[])?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

fn provider(row: &Row, seals: Vec<SealRow>) -> Result<ProviderRow, RowsError> {
    Ok(ProviderRow {
        domain: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        host: row.text(2)?.to_owned(),
        state: row.text(3)?.to_owned(),
        since: Timestamp::from_millis(row.int(4)?),
        tls_pins: row.text(5)?.to_owned(),
        tls_ca: row.text(6)?.to_owned(),
        client_pins: row.text(7)?.to_owned(),
        dialect: row.text(8)?.to_owned(),
        size_limit: row.opt_int(9)?,
        added_at: Timestamp::from_millis(row.int(10)?),
        route: row.text(11)?.to_owned(),
        tls_by: row.text(12)?.to_owned(),
        seals,
    })
}

fn seal(row: &Row) -> Result<SealRow, RowsError> {
    Ok(SealRow {
        certificate: row.bytes(0)?.to_vec(),
        from: row.opt_int(1)?.map(Timestamp::from_millis),
        until: row.opt_int(2)?.map(Timestamp::from_millis),
    })
}

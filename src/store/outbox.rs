//! Rows of what is to be said outside KEP, and of what became of it.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

/// One thing to be said at one place; the registry gives the words their meaning.
#[derive(Clone, Debug)]
pub struct NewRow<'a> {
    pub account: AccountId,
    pub cause: &'a str,
    pub channel: &'a str,
    pub target: &'a str,
    pub language: &'a str,
    pub kind: &'a str,
    pub fields: &'a [u8],
    pub sealed: bool,
    pub due_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The same as it stands there.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingRow {
    pub id: i64,
    pub account: AccountId,
    pub cause: String,
    pub channel: String,
    pub target: String,
    pub language: String,
    pub kind: String,
    /// Gone once it is settled.
    pub fields: Option<Vec<u8>>,
    pub sealed: bool,
    pub due_at: Timestamp,
    pub expires_at: Timestamp,
    pub state: State,
    pub attempts: u32,
    pub tells: u32,
    pub joined: Option<i64>,
    pub settled_at: Option<Timestamp>,
    pub trouble: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Waiting,
    /// A gateway was asked, and its answer is not known.
    Sending,
    Sent,
    /// Another one tells of it, too.
    Joined,
    /// For good.
    Failed,
    /// Its place was taken away before it was sent.
    Withdrawn,
}

impl State {
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Sending, Self::Sent, Self::Joined, Self::Failed, Self::Withdrawn];

    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Joined => "joined",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether a gateway is still to be asked.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Sending)
    }
}

/// Lays one in; `None` when the same cause was laid in for the same place before.
pub fn add(tx: &mut Tx<'_>, new: &NewRow<'_>) -> Result<Option<i64>, RowsError> {
    let row = tx.first(
        "INSERT INTO outgoing (account, cause, channel, target, language, kind, fields, sealed,
                               due_at, expires_at, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting')
         ON CONFLICT (account, cause, channel, target) DO NOTHING RETURNING id",
        &[
            new.account.0.into(),
            new.cause.into(),
            new.channel.into(),
            new.target.into(),
            new.language.into(),
            new.kind.into(),
            new.fields.into(),
            new.sealed.into(),
            new.due_at.millis().into(),
            new.expires_at.millis().into(),
        ],
    )?;
    row.map(|row| row.int(0)).transpose()
}

pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<OutgoingRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, cause, channel, target, language, kind, fields, sealed, due_at,
                expires_at, state, attempts, tells, joined, settled_at, trouble
         FROM outgoing WHERE id = $1",
        &[id.into()],
    )?;
    row.as_ref().map(outgoing).transpose()
}

/// When the last of a kind to a place is or was due; what was withdrawn counts, too.
pub fn last_due(
    tx: &mut Tx<'_>,
    account: AccountId,
    (channel, target): (&str, &str),
    kind: &str,
) -> Result<Option<Timestamp>, RowsError> {
    let row = tx.first(
        "SELECT MAX(due_at) FROM outgoing
         WHERE account = $1 AND channel = $2 AND target = $3 AND kind = $4",
        &[account.0.into(), channel.into(), target.into(), kind.into()],
    )?;
    Ok(row.map(|row| row.opt_int(0)).transpose()?.flatten().map(Timestamp::from_millis))
}

/// When the last is or was due whose cause begins so, at a place; what was not said there doesn't count.
pub fn last_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    (channel, target): (&str, &str),
    causes: &str,
) -> Result<Option<Timestamp>, RowsError> {
    let plain = causes.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let causes = format!("{plain}%");
    let row = tx.first(
        "SELECT MAX(due_at) FROM outgoing
         WHERE account = $1 AND channel = $2 AND target = $3 AND cause LIKE $4 ESCAPE '!'
           AND state NOT IN ('failed', 'withdrawn')",
        &[account.0.into(), channel.into(), target.into(), (&causes).into()],
    )?;
    Ok(row.map(|row| row.opt_int(0)).transpose()?.flatten().map(Timestamp::from_millis))
}

/// How many of a kind were due for an account since then.
pub fn since(
    tx: &mut Tx<'_>,
    account: AccountId,
    kind: &str,
    since: Timestamp,
) -> Result<u64, RowsError> {
    let row = tx.one(
        "count",
        "SELECT COUNT(*) FROM outgoing WHERE account = $1 AND kind = $2 AND due_at >= $3",
        &[account.0.into(), kind.into(), since.millis().into()],
    )?;
    Ok(row.int(0)?.unsigned_abs())
}

/// From here on a gateway is asked for it.
pub fn begin(tx: &mut Tx<'_>, id: i64) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE outgoing SET state = 'sending', attempts = attempts + 1 WHERE id = $1",
        &[id.into()],
    )?;
    Ok(())
}

/// Those of the same kind for the same place that are due join it; says of how many it tells now.
pub fn gather(tx: &mut Tx<'_>, into: &OutgoingRow, now: Timestamp) -> Result<u32, RowsError> {
    let joined = tx.execute(
        "UPDATE outgoing SET state = 'joined', joined = $1, settled_at = $2, fields = NULL
         WHERE account = $3 AND channel = $4 AND target = $5 AND kind = $6 AND due_at <= $2
           AND state = 'waiting' AND attempts = 0 AND id <> $1",
        &[
            into.id.into(),
            now.millis().into(),
            into.account.0.into(),
            (&into.channel).into(),
            (&into.target).into(),
            (&into.kind).into(),
        ],
    )?;
    let tells = into.tells.saturating_add(u32::try_from(joined).unwrap_or(u32::MAX));
    tx.execute(
        "UPDATE outgoing SET tells = $1 WHERE id = $2",
        &[i64::from(tells).into(), into.id.into()],
    )?;
    Ok(tells)
}

/// It is tried again then.
pub fn put_off(tx: &mut Tx<'_>, id: i64, due: Timestamp, trouble: &str) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE outgoing SET state = 'waiting', due_at = $1, trouble = $2
         WHERE id = $3 AND state IN ('waiting', 'sending')",
        &[due.millis().into(), trouble.into(), id.into()],
    )?;
    Ok(changed == 1)
}

/// It is due now, whether it waits or has failed; false when what it says is gone.
pub fn revive(
    tx: &mut Tx<'_>,
    id: i64,
    now: Timestamp,
    expires: Timestamp,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE outgoing SET state = 'waiting', due_at = $1, expires_at = $2, settled_at = NULL
         WHERE id = $3 AND fields IS NOT NULL AND state IN ('waiting', 'failed')",
        &[now.millis().into(), expires.millis().into(), id.into()],
    )?;
    Ok(changed == 1)
}

/// Nothing more is done about it. What it was to say is forgotten, but for what failed and holds no
/// secret: an operator may have it said after he has mended what was wrong. What was said is so, even if its
/// place was taken away meanwhile.
pub fn settle(
    tx: &mut Tx<'_>,
    id: i64,
    state: State,
    trouble: &str,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE outgoing SET state = $1, trouble = $2, settled_at = $3,
                fields = CASE WHEN $1 = 'failed' AND sealed = 0 THEN fields ELSE NULL END
         WHERE id = $4 AND (state IN ('waiting', 'sending')
                            OR (state = 'withdrawn' AND $1 = 'sent'))",
        &[state.word().into(), trouble.into(), now.millis().into(), id.into()],
    )?;
    Ok(changed == 1)
}

/// What waits for a place, or is tried there just now, is not said there any more.
pub fn withdraw(
    tx: &mut Tx<'_>,
    account: AccountId,
    (channel, target): (&str, &str),
    now: Timestamp,
) -> Result<u64, RowsError> {
    tx.execute(
        "UPDATE outgoing SET state = 'withdrawn', settled_at = $1, fields = NULL
         WHERE account = $2 AND channel = $3 AND target = $4
           AND state IN ('waiting', 'sending')",
        &[now.millis().into(), account.0.into(), channel.into(), target.into()],
    )
}

/// The newest, of one state or all, of one account or all.
pub fn list(
    tx: &mut Tx<'_>,
    state: Option<State>,
    account: Option<AccountId>,
    limit: usize,
) -> Result<Vec<OutgoingRow>, RowsError> {
    let state = state.map(State::word);
    let rows = tx.query(
        "SELECT id, account, cause, channel, target, language, kind, fields, sealed, due_at,
                expires_at, state, attempts, tells, joined, settled_at, trouble
         FROM outgoing
         WHERE id > 0 AND (CAST($1 AS TEXT) IS NULL OR state = $1)
           AND (CAST($2 AS BIGINT) IS NULL OR account = $2)
         ORDER BY id DESC LIMIT $3",
        &[state.into(), account.map(|account| account.0).into(), (limit as i64).into()],
    )?;
    rows.iter().map(outgoing).collect()
}

/// Which of them are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    All,
    One(State),
    /// What waits, is on its way, or failed.
    Unsaid,
}

impl Which {
    fn word(self) -> &'static str {
        match self {
            Self::All => "",
            Self::One(state) => state.word(),
            Self::Unsaid => "unsaid",
        }
    }
}

/// Those before that number, of one account or all; the newest first.
pub fn page(
    tx: &mut Tx<'_>,
    which: Which,
    account: Option<AccountId>,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<OutgoingRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, cause, channel, target, language, kind, fields, sealed, due_at,
                expires_at, state, attempts, tells, joined, settled_at, trouble
         FROM outgoing
         WHERE id < $1 AND (CAST($2 AS BIGINT) IS NULL OR account = $2)
           AND ($3 = '' OR state = $3
                OR ($3 = 'unsaid' AND state IN ('waiting', 'sending', 'failed')))
         ORDER BY id DESC LIMIT $4",
        &[
            before.unwrap_or(i64::MAX).into(),
            account.map(|account| account.0).into(),
            which.word().into(),
            (most as i64).into(),
        ],
    )?;
    rows.iter().map(outgoing).collect()
}

/// How many are in a state, and when the oldest of them is or was due.
pub fn count(tx: &mut Tx<'_>, state: State) -> Result<(u64, Option<Timestamp>), RowsError> {
    let row = tx.one(
        "count",
        "SELECT COUNT(*), MIN(due_at) FROM outgoing WHERE state = $1",
        &[state.word().into()],
    )?;
    Ok((row.int(0)?.unsigned_abs(), row.opt_int(1)?.map(Timestamp::from_millis)))
}

/// A gateway took a part of it, and calls it so. One that counts anew may have called another so before:
/// what it said of that is not said of this.
pub fn add_part(
    tx: &mut Tx<'_>,
    reference: &str,
    outgoing: i64,
    now: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO outgoing_part (reference, outgoing, at) VALUES ($1, $2, $3)
         ON CONFLICT (reference) DO UPDATE SET
             receipt = CASE WHEN outgoing_part.outgoing IS NULL
                                 OR outgoing_part.outgoing = excluded.outgoing
                       THEN outgoing_part.receipt END,
             outgoing = excluded.outgoing, at = excluded.at",
        &[reference.into(), outgoing.into(), now.millis().into()],
    )?;
    Ok(())
}

/// A gateway says what became of a part.
pub fn receipt(
    tx: &mut Tx<'_>,
    reference: &str,
    said: &str,
    now: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO outgoing_part (reference, receipt, at) VALUES ($1, $2, $3)
         ON CONFLICT (reference) DO UPDATE SET receipt = excluded.receipt, at = excluded.at",
        &[reference.into(), said.into(), now.millis().into()],
    )?;
    Ok(())
}

/// The parts of one that a gateway took, and what it says became of each.
pub fn parts(tx: &mut Tx<'_>, outgoing: i64) -> Result<Vec<(String, Option<String>)>, RowsError> {
    let rows = tx.query(
        "SELECT reference, receipt FROM outgoing_part WHERE outgoing = $1 ORDER BY reference",
        &[outgoing.into()],
    )?;
    let part = |row: &Row| Ok((row.text(0)?.to_owned(), row.opt_text(1)?.map(str::to_owned)));
    rows.iter().map(part).collect()
}

/// Forgets what was settled, and heard of, before then.
pub fn sweep(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, RowsError> {
    let mut gone =
        tx.execute("DELETE FROM outgoing_part WHERE at < $1", &[before.millis().into()])?;
    for state in State::ALL.into_iter().filter(|state| !state.is_open()) {
        gone += tx.execute(
            "DELETE FROM outgoing WHERE state = $1 AND due_at < $2 AND settled_at < $2",
            &[state.word().into(), before.millis().into()],
        )?;
    }
    Ok(gone)
}

fn outgoing(row: &Row) -> Result<OutgoingRow, RowsError> {
    let number =
        |column: usize| Ok::<_, RowsError>(row.int(column)?.try_into().unwrap_or(u32::MAX));
    let fields = if row.is_null(7) { None } else { Some(row.bytes(7)?.to_vec()) };
    Ok(OutgoingRow {
        id: row.int(0)?,
        account: AccountId(row.int(1)?),
        cause: row.text(2)?.to_owned(),
        channel: row.text(3)?.to_owned(),
        target: row.text(4)?.to_owned(),
        language: row.text(5)?.to_owned(),
        kind: row.text(6)?.to_owned(),
        fields,
        sealed: row.int(8)? != 0,
        due_at: Timestamp::from_millis(row.int(9)?),
        expires_at: Timestamp::from_millis(row.int(10)?),
        state: State::parse(row.text(11)?).ok_or(RowsError::Stored("a notice's state"))?,
        attempts: number(12)?,
        tells: number(13)?,
        joined: row.opt_int(14)?,
        settled_at: row.opt_int(15)?.map(Timestamp::from_millis),
        trouble: row.text(16)?.to_owned(),
    })
}

//! Somebody opens a message that he has got, as his mailbox does it; accounts close and open again.

use crate::house::{ACCOUNTS, House, address};
use crate::keys::HOUSES;
use crate::letters::Letter;
use crate::task::now;
use crate::world::World;
use kep::registry::audit::By;
use kep::registry::closings;
use kep::spool::Channel;
use kep::spool::opening::{self, Opening};
use kep::store::{Lane, RowsError, Tx};
use kep::wire::{AccountId, KepAddress, MessageId};

pub fn somebody_opens(world: &mut World) {
    let (house, account) = (world.dice.below(HOUSES), world.dice.below(ACCOUNTS.len()));
    // Some open what they opened already.
    let any = world.dice.once_in(4);
    let person = address(house, account);
    let Some(at) = &world.houses[house] else { return };
    let Some((account, message)) = got(at, &person, any) else { return };
    let opening = Opening { account, message, channel: Channel::Imap, person, at: at.clock.now() };
    let store = at.store.clone();
    let work = async move {
        let open = move |tx: &mut Tx<'_>| opening::open(tx, &opening).map(drop);
        // A store without power is seen by the world.
        let _: Result<(), RowsError> = store.write(Lane::Client, open).await;
    };
    world.spawn(Some(house), "open".to_owned(), work);
}

/// An account is closed, and open again when it comes to that; not while its owner is at the door: who
/// is turned away there is kept waiting by a clock that the world does not have.
pub fn set_open(world: &mut World, house: usize, account: usize, open: bool) {
    let person = address(house, account);
    let Some(at) = &world.houses[house] else { return };
    let his = |letter: &Letter| letter.from == person && letter.under_way > 0;
    if world.book.lock().unwrap().iter().any(his) {
        return;
    }
    let address = KepAddress::parse(&person).unwrap();
    let by = By::system("test", at.clock.now());
    let done = match open {
        true => now(closings::reopen(&at.store, &address, None, &by)).is_ok(),
        false => now(closings::close(&at.store, &address, &by)).is_ok(),
    };
    // Without an answer it may be closed.
    match open && done {
        true => world.closed.remove(&person),
        false => world.closed.insert(person.clone()),
    };
    world.say(format!("{person} is {}", if open { "active" } else { "closed" }));
}

/// The message that the person got last; only unopened ones, or any.
fn got(house: &House, person: &str, any: bool) -> Option<(AccountId, MessageId)> {
    let person = person.to_owned();
    let look = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
        let sql =
            "SELECT r.account, r.message_id FROM recipient r JOIN account a ON a.id = r.account
                   WHERE a.address = $1 AND r.delivered_at IS NOT NULL
                     AND (r.state = 'delivered' OR $2 = 1) ORDER BY r.delivered_at DESC LIMIT 1";
        let row = tx.first(sql, &[(&person).into(), i64::from(any).into()])?;
        let found = |row: kep::store::rows::Row| {
            Ok::<_, RowsError>((AccountId(row.int(0)?), row.text(1)?.to_owned()))
        };
        row.map(found).transpose()
    };
    let (account, id) = now(house.store.look_up(look)).ok()??;
    Some((account, MessageId::parse(&id)?))
}

//! Whose an account is, how he is reached, and to whom its invoices go, as the staff records it after a check.

use super::accounts::{OneAccount, StaffAccount, changing, standing};
use super::applications::HolderFields;
use super::duty::{REGISTERS, on_duty};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Endpoint, Json, Tag, Tagged, Verb};
use crate::portal::api::holder::{ContactDataChange, NewInvoice};
use crate::portal::api::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::holders::{Holder, Invoice, reached, records};
use crate::store::Tx;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let one = move |verb, path, id| {
        Endpoint::new(verb, path, id, Tag::Staff).needs(Scope::StaffAccounts).guarded().may_say([
            Problem::NotStaff,
            Problem::StaffRole(some()),
            Problem::AccountUnknown,
            Problem::FormUnfit(some()),
        ])
    };
    let holder = [
        Problem::NotStaff,
        Problem::StaffRole(some()),
        Problem::AccountUnknown,
        Problem::FormUnfit(some()),
        Problem::NotTheHolder,
        Problem::OperatorsNotForPersons,
    ];
    let invoice = [
        Problem::NotStaff,
        Problem::StaffRole(some()),
        Problem::AccountUnknown,
        Problem::InvoiceUnknown,
    ];
    vec![
        one(Verb::Put, "/staff/accounts/{address}/holder", "setStaffHolder")
            .says(
                "Hesabın kimin olduğunu kaydeder ya da düzeltir; hesap başkasına geçmez.",
                "Records whose the account is, or corrects it; it never passes to somebody else.",
            )
            .may_say(holder)
            .writes(set_holder),
        one(Verb::Patch, "/staff/accounts/{address}/contact", "changeStaffContact")
            .says(
                "Adres ve iletişim bilgilerini değiştirir; adı geçmeyen olduğu gibi kalır, boş olan silinir.",
                "Changes how the holder is reached; what is not named stays, what is empty goes.",
            )
            .writes(change_contact),
        one(Verb::Put, "/staff/accounts/{address}/invoice", "setStaffInvoice")
            .says("Fatura bilgisini kaydeder.", "Records to whom invoices go.")
            .writes(set_invoice),
        one(Verb::Delete, "/staff/accounts/{address}/invoice", "removeStaffInvoice")
            .says("Fatura bilgisini siler.", "Takes away to whom invoices go.")
            .may_say(invoice)
            .writes(remove_invoice),
    ]
}

fn set_holder(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    new: &Json<HolderFields>,
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    let holder = Holder::parse(&new.0.form(), call.now).map_err(|faults| call.unfit(faults))?;
    records::set_holder_in(tx, &account, &holder, &by)?;
    standing(tx, call, &ask.address)
}

fn change_contact(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    new: &Json<ContactDataChange>,
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    let set = reached::change_contact(tx, account.id, &account.address, new.0.said(), &by);
    set.map_err(|error| call.unfit(error))?;
    standing(tx, call, &ask.address)
}

fn set_invoice(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    new: &Json<NewInvoice>,
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    let invoice = Invoice::parse(&new.0.form()).map_err(|faults| call.unfit(faults))?;
    records::put_invoice(tx, account.id, &account.address, Some(&invoice), &by)?;
    standing(tx, call, &ask.address)
}

fn remove_invoice(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    (): &(),
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    if records::record(tx, account.clone())?.invoice.is_none() {
        return Err(Problem::InvoiceUnknown);
    }
    records::put_invoice(tx, account.id, &account.address, None, &by)?;
    standing(tx, call, &ask.address)
}

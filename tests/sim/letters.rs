//! Letters and their senders: what was written, how often it was handed in, and what was heard. The
//! judges go by this book and not by the houses' own tables.

use crate::carrier::{domain, once};
use crate::dice::Dice;
use crate::house::{ACCOUNTS, PASSWORD, address};
use crate::keys::HOUSES;
use crate::net::Net;
use kep::deliver::dialogue::{Dialogue, Mail, Outcome, Report, Tls, To};
use kep::wire::KepAddress;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

pub struct Letter {
    pub n: usize,
    pub house: usize,
    pub from: String,
    pub to: Vec<String>,
    pub octets: Arc<Vec<u8>>,
    /// Handed in at this time, and not answered yet.
    pub under_way: usize,
    /// Each `250`.
    pub acknowledged: Vec<Acknowledged>,
    /// What a `5xx` said.
    pub refused: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acknowledged {
    pub id: String,
    pub to: BTreeSet<String>,
}

pub type Book = Arc<Mutex<Vec<Letter>>>;

/// A few letters to whomever: some to nobody.
pub fn write(dice: &mut Dice) -> Vec<Letter> {
    let count = 1 + dice.below(MOST);
    (0..count).map(|n| letter(n, dice)).collect()
}

fn letter(n: usize, dice: &mut Dice) -> Letter {
    let house = dice.below(HOUSES);
    let from = address(house, dice.below(ACCOUNTS.len()));
    let mut to = BTreeSet::new();
    for _ in 0..1 + dice.below(3) {
        to.insert(address(dice.below(HOUSES), dice.below(ACCOUNTS.len())));
    }
    if dice.once_in(6) {
        to.insert(format!("kimse@{}", domain((house + 1) % HOUSES)));
    }
    to.remove(&from);
    if to.is_empty() {
        to.insert(address((house + 1) % HOUSES, 0));
    }
    let to: Vec<String> = to.into_iter().collect();
    let octets = format!(
        "From: {from}\r\nTo: {}\r\nSubject: {n}. mektup\r\nMessage-ID: <{n}@istemci.example>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\nSayın ilgili,\r\n.{n}\r\n{}\r\n",
        to.join(", "),
        "teklif ".repeat(dice.below(9)).trim_end(),
    );
    Letter {
        n,
        house,
        from,
        to,
        octets: Arc::new(octets.into_bytes()),
        under_way: 0,
        acknowledged: Vec::new(),
        refused: None,
    }
}

impl Letter {
    pub fn is_settled(&self) -> bool {
        !self.acknowledged.is_empty() || self.refused.is_some()
    }

    fn mail(&self) -> Mail {
        let address = |text: &String| KepAddress::parse(text).unwrap();
        Mail {
            helo: "istemci.example".to_owned(),
            from: Some(address(&self.from)),
            recipients: self.to.iter().map(|to| To::plain(address(to))).collect(),
            size: self.octets.len() as u64,
            eight_bit: true,
            smtputf8: false,
            requiretls: false,
            ret: None,
            envid: None,
        }
    }

    fn heard(&mut self, report: &Report) {
        let mut to = BTreeSet::new();
        let mut id = None;
        for (recipient, outcome) in &report.recipients {
            match outcome {
                Outcome::Accepted(reply) => {
                    id = Some(reply.text());
                    to.insert(recipient.to_string());
                }
                Outcome::Refused(reply) if !reply.is_transient() => {
                    self.refused = Some(reply.text());
                }
                _ => {}
            }
        }
        self.acknowledged.extend(id.map(|id| Acknowledged { id, to }));
    }
}

/// Hands a letter in, once.
pub async fn hand_in(book: Book, n: usize, net: Net) {
    let (house, mail, octets, from) = {
        let mut letters = book.lock().unwrap();
        let letter = &mut letters[n];
        letter.under_way += 1;
        (letter.house, letter.mail(), Arc::clone(&letter.octets), letter.from.clone())
    };
    let login = Some((from, SecretString::from(PASSWORD)));
    let dialogue = Dialogue::new(mail, Tls::Established, login);
    let report = once(&net, (None, house), dialogue, &octets).await;
    let mut letters = book.lock().unwrap();
    letters[n].under_way -= 1;
    if let Some(report) = report {
        letters[n].heard(&report);
    }
}

const MOST: usize = 4;

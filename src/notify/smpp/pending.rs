//! What was asked and not answered yet, by its number. Pure but for the clock that it is given.

use crate::wire::smpp::{Body, Pdu, Status};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;

/// What the SMSC said of a submission: what it calls the message, or why it took none.
pub type Answer = Result<String, Refused>;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    By(Status),
    /// Nobody said anything; it may have been taken.
    Nobody(String),
}

pub struct Pending {
    next: u32,
    /// With the time by which each must be answered.
    asked: BTreeMap<u32, (Duration, oneshot::Sender<Answer>)>,
}

impl Pending {
    pub fn new() -> Self {
        // 1 was the bind's.
        Self { next: 2, asked: BTreeMap::new() }
    }

    /// The number of the next request (§5.1.4: 1 to 0x7fffffff).
    pub fn number(&mut self) -> u32 {
        let number = self.next;
        self.next = if number >= LAST { 1 } else { number + 1 };
        number
    }

    pub fn len(&self) -> usize {
        self.asked.len()
    }

    pub fn ask(&mut self, number: u32, until: Duration, answer: oneshot::Sender<Answer>) {
        self.asked.insert(number, (until, answer));
    }

    /// An answer came; one that nobody waits for is none.
    pub fn answered(&mut self, pdu: &Pdu) {
        let Some((_, answer)) = self.asked.remove(&pdu.sequence) else { return };
        let said = match (&pdu.body, pdu.status) {
            (Body::SubmitAnswer(id), Status::OK) => Ok(id.clone()),
            (_, status) => Err(Refused::By(status)),
        };
        // Who asked may have gone.
        let _ = answer.send(said);
    }

    /// Gives up what should have been answered by now.
    pub fn overdue(&mut self, now: Duration) {
        let late: Vec<_> =
            self.asked.iter().filter(|(_, (until, _))| *until <= now).map(|(n, _)| *n).collect();
        for number in late {
            if let Some((_, answer)) = self.asked.remove(&number) {
                let _ = answer.send(Err(Refused::Nobody("no answer in time".to_owned())));
            }
        }
    }

    /// When the first of them is overdue.
    pub fn next_overdue(&self) -> Option<Duration> {
        self.asked.values().map(|(until, _)| *until).min()
    }

    /// The connection is gone.
    pub fn abandon(&mut self, why: &str) {
        for (_, (_, answer)) in std::mem::take(&mut self.asked) {
            let _ = answer.send(Err(Refused::Nobody(why.to_owned())));
        }
    }
}

const LAST: u32 = 0x7fff_ffff;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(sequence: u32, status: u32) -> Pdu {
        let body = Body::SubmitAnswer("ab".into());
        Pdu { status: Status(status), sequence, body }
    }

    #[test]
    fn answers_find_whom_they_are_for_and_nobody_waits_for_ever() {
        let mut pending = Pending::new();
        let mut ask = |until| {
            let (tell, told) = oneshot::channel();
            let number = pending.number();
            pending.ask(number, Duration::from_secs(until), tell);
            (number, told)
        };
        let ((one, mut of_one), (two, mut of_two), (_, mut of_three)) = (ask(5), ask(1), ask(9));
        let (_, mut of_four) = ask(9);
        pending.answered(&answer(one, 0));
        pending.answered(&answer(one, 0));
        pending.answered(&answer(77, 0));
        assert_eq!(of_one.try_recv().unwrap(), Ok("ab".into()));
        assert_eq!(pending.next_overdue(), Some(Duration::from_secs(1)));
        pending.overdue(Duration::from_secs(1));
        assert!(matches!(of_two.try_recv().unwrap(), Err(Refused::Nobody(_))));
        pending.answered(&answer(two, 0)); // too late
        pending.answered(&answer(two + 1, 0x58));
        assert_eq!(of_three.try_recv().unwrap(), Err(Refused::By(Status::THROTTLED)));
        pending.abandon("gone");
        assert_eq!(of_four.try_recv().unwrap(), Err(Refused::Nobody("gone".into())));
        assert_eq!(pending.len(), 0);
    }

    #[test]
    fn numbers_begin_anew_after_the_last() {
        let mut pending = Pending { next: LAST, asked: BTreeMap::new() };
        assert_eq!([pending.number(), pending.number(), pending.number()], [LAST, 1, 2]);
    }
}

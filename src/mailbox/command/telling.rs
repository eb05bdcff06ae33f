//! Results of SEARCH, SORT and THREAD on their way out: piece by piece, so that a hundred thousand of
//! them never wait in one.

use crate::mailbox::ask::ThreadToken;
use crate::mailbox::core::FLUSH;
use crate::wire::imap::command::Partial;
use crate::wire::imap::{UidSet, encode};

/// A line whose beginning is written.
#[derive(Debug)]
pub(super) struct Telling {
    left: Left,
    /// What ends the line.
    tail: Vec<u8>,
    /// The next one stands behind a number.
    behind: bool,
    /// What follows behind some words.
    next: Option<(Vec<u8>, Left)>,
}

/// What is left of a result.
#[derive(Debug)]
pub(super) enum Left {
    /// ` 1 2 3`
    Numbers(UidSet),
    /// ` 3 1 2`
    Sorted(std::vec::IntoIter<u32>),
    /// `3,1:2`
    Ranges(std::vec::IntoIter<(u32, u32)>),
    /// `(1 2)(3)`, numbers as they are to be told
    Threads(std::vec::IntoIter<ThreadToken>),
    /// `100 50`
    Scores(std::vec::IntoIter<u32>),
}

impl Telling {
    pub fn new(left: Left, tail: Vec<u8>) -> Self {
        Self { left, tail, behind: false, next: None }
    }

    pub fn and(self, words: Vec<u8>, left: Left) -> Self {
        Self { next: Some((words, left)), ..self }
    }

    /// Writes as much as may wait to be sent; says whether that was all.
    pub fn write(&mut self, out: &mut Vec<u8>) -> bool {
        while out.len() < FLUSH {
            if self.piece(out) {
                continue;
            }
            let Some((mut words, left)) = self.next.take() else {
                out.append(&mut self.tail);
                return true;
            };
            out.append(&mut words);
            (self.left, self.behind) = (left, false);
        }
        false
    }

    fn piece(&mut self, out: &mut Vec<u8>) -> bool {
        match &mut self.left {
            Left::Numbers(set) => {
                let piece = set.take_first(PIECE);
                piece.iter().for_each(|number| encode::spaced(out, number));
                !piece.is_empty()
            }
            Left::Sorted(numbers) => match numbers.next() {
                Some(number) => {
                    encode::spaced(out, number);
                    true
                }
                None => false,
            },
            Left::Ranges(ranges) => match ranges.next() {
                Some(range) => {
                    let comma = std::mem::replace(&mut self.behind, true);
                    encode::range(out, comma, range);
                    true
                }
                None => false,
            },
            Left::Scores(scores) => match scores.next() {
                Some(score) if std::mem::replace(&mut self.behind, true) => {
                    encode::spaced(out, score);
                    true
                }
                Some(score) => {
                    encode::digits(out, score);
                    true
                }
                None => false,
            },
            Left::Threads(tokens) => match tokens.next() {
                Some(token) => {
                    self.behind = thread(out, self.behind, token);
                    true
                }
                None => false,
            },
        }
    }
}

fn thread(out: &mut Vec<u8>, behind: bool, token: ThreadToken) -> bool {
    if behind && token != ThreadToken::Close {
        out.push(b' ');
    }
    match token {
        ThreadToken::Open => out.push(b'('),
        ThreadToken::Close => out.push(b')'),
        ThreadToken::Message(number) => encode::digits(out, number),
    }
    matches!(token, ThreadToken::Message(_))
}

/// What was found, in its order.
#[derive(Debug)]
pub(super) enum Hits {
    Set(UidSet),
    Sorted(Vec<u32>),
}

impl Hits {
    pub fn len(&self) -> usize {
        match self {
            Self::Set(set) => set.len(),
            Self::Sorted(list) => list.len(),
        }
    }

    pub fn first(&self) -> Option<u32> {
        match self {
            Self::Set(set) => set.first(),
            Self::Sorted(list) => list.first().copied(),
        }
    }

    pub fn last(&self) -> Option<u32> {
        match self {
            Self::Set(set) => set.last(),
            Self::Sorted(list) => list.last().copied(),
        }
    }

    /// Those at some places.
    pub fn part(&self, part: Partial) -> Self {
        match self {
            Self::Set(set) => Self::Set(part.of_set(set)),
            Self::Sorted(list) => {
                let part = list.get(part.of(list.len())).unwrap_or_default();
                Self::Sorted(part.to_vec())
            }
        }
    }

    pub fn each(&self) -> Vec<u32> {
        match self {
            Self::Set(set) => set.iter().collect(),
            Self::Sorted(list) => list.clone(),
        }
    }

    /// As a set, whatever the order.
    pub fn set(&self) -> UidSet {
        match self {
            Self::Set(set) => set.clone(),
            Self::Sorted(list) => list.iter().copied().collect(),
        }
    }

    pub fn numbers(self) -> Left {
        match self {
            Self::Set(set) => Left::Numbers(set),
            Self::Sorted(list) => Left::Sorted(list.into_iter()),
        }
    }

    /// Those that stand in a row and follow each other are a range (RFC 5267 §3.2).
    pub fn ranges(&self) -> Vec<(u32, u32)> {
        match self {
            Self::Set(set) => set.ranges().to_vec(),
            Self::Sorted(list) => {
                let runs = list.chunk_by(|a, b| a.checked_add(1) == Some(*b));
                runs.filter_map(|run| Some((*run.first()?, *run.last()?))).collect()
            }
        }
    }
}

/// Numbers written at one go.
const PIECE: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_a_sorted_result_are_ranges() {
        assert_eq!(Hits::Sorted(vec![5, 3, 4, 2, 1]).ranges(), [(5, 5), (3, 4), (2, 2), (1, 1)]);
    }

    #[test]
    fn a_long_result_goes_out_in_pieces() {
        let mut telling = Telling::new(Left::Numbers(UidSet::range(1, 100_000)), b"\r\n".to_vec());
        let (mut all, mut pieces) = (Vec::new(), 0);
        loop {
            let mut out = Vec::new();
            let done = telling.write(&mut out);
            assert!(out.len() < 2 * FLUSH);
            all.extend(out);
            pieces += 1;
            if done {
                break;
            }
        }
        assert!(pieces > 10);
        assert!(all.ends_with(b" 99999 100000\r\n"));
    }

    #[test]
    fn threads_are_written_as_rfc_5256_has_them() {
        use ThreadToken::{Close, Message, Open};
        let tokens = vec![
            Open,
            Message(2),
            Close,
            Open,
            Message(3),
            Message(6),
            Open,
            Message(4),
            Message(23),
            Close,
            Open,
            Message(44),
            Close,
            Close,
            Open,
            Open,
            Message(7),
            Close,
            Open,
            Message(8),
            Close,
            Close,
        ];
        let mut out = Vec::new();
        assert!(Telling::new(Left::Threads(tokens.into_iter()), Vec::new()).write(&mut out));
        assert_eq!(out, b"(2)(3 6 (4 23)(44))((7)(8))");
    }
}

//! THREAD=ORDEREDSUBJECT (RFC 5256 §3): messages of one base subject are a thread, the oldest first.

use super::letter::Letter;
use crate::mailbox::ask::ThreadToken as Token;

pub fn threads(mut letters: Vec<Letter>) -> Vec<Token> {
    letters.sort_by(|a, b| (&a.subject, a.sent, a.uid).cmp(&(&b.subject, b.sent, b.uid)));
    let mut threads: Vec<&[Letter]> = letters.chunk_by(|a, b| a.subject == b.subject).collect();
    threads.sort_by_key(|thread| thread.first().map(|oldest| (oldest.sent, oldest.uid)));
    let mut tokens = Vec::new();
    for thread in threads {
        tokens.push(Token::Open);
        for (at, letter) in thread.iter().enumerate() {
            let apart = at > 0 && thread.len() > 2;
            tokens.extend(apart.then_some(Token::Open));
            tokens.push(Token::Message(letter.uid));
            tokens.extend(apart.then_some(Token::Close));
        }
        tokens.push(Token::Close);
    }
    tokens
}

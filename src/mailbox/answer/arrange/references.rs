//! THREAD=REFERENCES (RFC 5256 §3), in its six steps. Nodes stand in one list and point to each other
//! by number; nothing here recurses, so a chain of any length is no danger.

use super::letter::Letter;
use crate::mailbox::ask::ThreadToken as Token;
use crate::wire::mime::related::Reference;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Nothing when it would take too long: references made so that each is a long way from its root.
pub fn threads(letters: &[Letter]) -> Option<Vec<Token>> {
    let mut forest = Forest { letters, nodes: Vec::new(), steps: 0 };
    forest.link()?;
    let mut roots = forest.prune();
    forest.sort(&mut roots);
    forest.gather(&mut roots);
    forest.sort(&mut roots);
    Some(forest.tokens(&roots))
}

struct Forest<'l> {
    letters: &'l [Letter],
    nodes: Vec<Node>,
    /// Made on ways from a node to its root.
    steps: usize,
}

#[derive(Default)]
struct Node {
    /// Nothing for one that was only referred to.
    letter: Option<usize>,
    parent: Option<usize>,
    /// How many point here, while nodes are linked.
    pointed: usize,
    /// Known when all are linked.
    kids: Vec<usize>,
}

impl<'l> Forest<'l> {
    /// Step 1: each reference is the parent of the next one, the last one that of the message.
    fn link(&mut self) -> Option<()> {
        let mut known: HashMap<Reference, usize> = HashMap::new();
        // Of those with the same Message-ID it is the first one's.
        for (at, letter) in self.letters.iter().enumerate() {
            let node = self.nodes.len();
            self.nodes.push(Node { letter: Some(at), ..Node::default() });
            if let Some(Entry::Vacant(vacant)) = letter.id.map(|id| known.entry(id)) {
                vacant.insert(node);
            }
        }
        for (at, letter) in self.letters.iter().enumerate() {
            let mut last = None;
            for id in &letter.references {
                let node = *known.entry(*id).or_insert(self.nodes.len());
                if node == self.nodes.len() {
                    self.nodes.push(Node::default());
                }
                if let Some(parent) = last.filter(|_| self.parent(node).is_none()) {
                    self.adopt(parent, node)?;
                }
                last = Some(node);
            }
            self.leave(at);
            if let Some(parent) = last {
                self.adopt(parent, at)?;
            }
        }
        Some(())
    }

    fn parent(&self, node: usize) -> Option<usize> {
        self.nodes.get(node)?.parent
    }

    /// Makes `child`, which has no parent, one of `parent`'s, unless that made a loop.
    fn adopt(&mut self, parent: usize, child: usize) -> Option<()> {
        let childless = self.nodes.get(child)?.pointed == 0;
        let mut above = if childless { Some(parent).filter(|p| *p == child) } else { Some(parent) };
        while let Some(node) = above {
            if node == child {
                return Some(());
            }
            self.steps += 1;
            if self.steps > STEPS {
                return None;
            }
            above = self.parent(node);
        }
        self.nodes.get_mut(child)?.parent = Some(parent);
        self.nodes.get_mut(parent)?.pointed += 1;
        Some(())
    }

    fn leave(&mut self, child: usize) {
        let parent = self.nodes.get_mut(child).and_then(|node| node.parent.take());
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
            parent.pointed -= 1;
        }
    }

    /// Steps 2 and 3: those without parents, and no node without a letter but at the root, where it
    /// has two kids at least.
    fn prune(&mut self) -> Vec<usize> {
        let order = self.leaves_first();
        let mut roots = Vec::new();
        for node in order {
            let Some(here) = self.nodes.get_mut(node) else { continue };
            let (dummy, parent) = (here.letter.is_none(), here.parent);
            let parent = parent.filter(|_| !(dummy && here.kids.is_empty()));
            match parent {
                Some(parent) if dummy => {
                    let kids = std::mem::take(&mut here.kids);
                    self.give(parent, kids);
                }
                Some(parent) => self.give(parent, vec![node]),
                None if dummy && here.kids.len() < 2 => roots.append(&mut here.kids),
                None => roots.push(node),
            }
        }
        roots
    }

    /// Small lists go into large ones, so that a long chain costs no square.
    fn give(&mut self, parent: usize, mut kids: Vec<usize>) {
        let Some(parent) = self.nodes.get_mut(parent) else { return };
        if parent.kids.len() < kids.len() {
            std::mem::swap(&mut parent.kids, &mut kids);
        }
        parent.kids.extend(kids);
    }

    /// All nodes, each behind those under it.
    fn leaves_first(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.nodes.iter().map(|node| node.pointed).collect();
        let leaf = |node: &usize| self.nodes.get(*node).is_some_and(|node| node.pointed == 0);
        let mut order: Vec<usize> = (0..self.nodes.len()).filter(leaf).collect();
        let mut at = 0;
        while let Some(&node) = order.get(at) {
            at += 1;
            let parent = self.parent(node);
            if let Some((parent, count)) = parent.and_then(|p| Some((p, waiting.get_mut(p)?))) {
                *count -= 1;
                if *count == 0 {
                    order.push(parent);
                }
            }
        }
        order
    }

    /// Steps 4 and 6: siblings by when they were sent; a node without a letter by its first kid.
    fn sort(&mut self, roots: &mut [usize]) {
        for at in 0..self.nodes.len() {
            let mut kids = self.nodes.get_mut(at).map(|n| std::mem::take(&mut n.kids));
            if let Some(kids) = &mut kids {
                kids.sort_by_key(|kid| self.place(*kid));
            }
            if let (Some(node), Some(kids)) = (self.nodes.get_mut(at), kids) {
                node.kids = kids;
            }
        }
        roots.sort_by_key(|root| self.place(*root));
    }

    fn place(&self, node: usize) -> Option<(i64, u32)> {
        self.letter(node).map(|letter| (letter.sent, letter.uid))
    }

    /// Its own, or that of its first kid.
    fn letter(&self, node: usize) -> Option<&'l Letter> {
        let node = self.nodes.get(node)?;
        let of = |node: &Node| self.letters.get(node.letter?);
        let oldest = || {
            let kids = node.kids.iter().filter_map(|kid| of(self.nodes.get(*kid)?));
            kids.min_by_key(|letter| (letter.sent, letter.uid))
        };
        of(node).or_else(oldest)
    }

    fn is_dummy(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|node| node.letter.is_none())
    }

    /// Step 5: threads about the same are one.
    fn gather(&mut self, roots: &mut Vec<usize>) {
        let mut table = self.subjects(roots);
        let mut merged = Vec::new();
        for root in std::mem::take(roots) {
            let subject = self.letter(root).map(|letter| &*letter.subject).unwrap_or_default();
            match table.get(subject).copied().filter(|other| *other != root) {
                Some(other) => {
                    if let Some(dummy) = self.merge(other, root) {
                        table.insert(subject, dummy);
                        merged.push((other, dummy));
                    }
                }
                None => roots.push(root),
            }
        }
        let replaced: HashMap<usize, usize> = merged.into_iter().collect();
        for root in roots {
            *root = replaced.get(root).copied().unwrap_or(*root);
        }
    }

    /// Which root stands for a subject.
    fn subjects(&self, roots: &[usize]) -> HashMap<&'l str, usize> {
        let mut table: HashMap<&str, usize> = HashMap::new();
        for &root in roots {
            let Some(letter) = self.letter(root).filter(|l| !l.subject.is_empty()) else {
                continue;
            };
            match table.entry(&letter.subject) {
                Entry::Vacant(vacant) => {
                    vacant.insert(root);
                }
                Entry::Occupied(mut known) => {
                    let other = *known.get();
                    let replies = self.letter(other).is_some_and(|other| other.is_reply);
                    let better = self.is_dummy(root) || replies && !letter.is_reply;
                    if !self.is_dummy(other) && better {
                        known.insert(root);
                    }
                }
            }
        }
        table
    }

    /// Puts `root` under `other` or beside it; then both stand under a new node.
    fn merge(&mut self, other: usize, root: usize) -> Option<usize> {
        let is_reply = |node| self.letter(node).is_some_and(|letter| letter.is_reply);
        match (self.is_dummy(other), self.is_dummy(root)) {
            (true, true) => {
                let kids = self.nodes.get_mut(root).map(|root| std::mem::take(&mut root.kids));
                self.give(other, kids.unwrap_or_default());
            }
            (true, false) => self.give(other, vec![root]),
            (false, _) if is_reply(root) && !is_reply(other) => self.give(other, vec![root]),
            (false, _) => {
                self.nodes.push(Node { kids: vec![other, root], ..Node::default() });
                return Some(self.nodes.len() - 1);
            }
        }
        None
    }

    fn tokens(&self, roots: &[usize]) -> Vec<Token> {
        enum Work {
            Node(usize),
            Say(Token),
        }
        let (mut tokens, mut work) = (Vec::new(), Vec::new());
        let apart = |work: &mut Vec<Work>, nodes: &[usize]| {
            for node in nodes.iter().rev() {
                work.extend([Work::Say(Token::Close), Work::Node(*node), Work::Say(Token::Open)]);
            }
        };
        apart(&mut work, roots);
        while let Some(next) = work.pop() {
            let node = match next {
                Work::Say(token) => {
                    tokens.push(token);
                    continue;
                }
                Work::Node(node) => node,
            };
            let Some(node) = self.nodes.get(node) else { continue };
            let letter = node.letter.and_then(|at| self.letters.get(at));
            tokens.extend(letter.map(|letter| Token::Message(letter.uid)));
            match node.kids.as_slice() {
                [only] => work.push(Work::Node(*only)),
                kids => apart(&mut work, kids),
            }
        }
        tokens
    }
}

/// Some tenths of a second.
const STEPS: usize = 50_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages as `id<reference reference subject`, one a letter, sent in their order.
    fn shown(messages: &[(&str, &str, &str)]) -> String {
        let id = |text: &str| {
            let mut id = Reference::default();
            id.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
            id
        };
        let letter = |(at, (own, references, subject)): (usize, &(&str, &str, &str))| Letter {
            uid: at as u32 + 1,
            sent: at as i64,
            subject: subject.trim_start_matches("Re: ").into(),
            is_reply: subject.starts_with("Re: "),
            id: (!own.is_empty()).then(|| id(own)),
            references: references.split_whitespace().map(id).collect(),
        };
        let letters: Vec<_> = messages.iter().enumerate().map(letter).collect();
        let mut text = String::new();
        for token in threads(&letters).unwrap() {
            match token {
                Token::Open => text.push('('),
                Token::Close => text.push(')'),
                Token::Message(uid) => text.push_str(&format!(" {uid}")),
            }
        }
        text.replace("( ", "(")
    }

    #[test]
    fn replies_stand_under_what_they_answer() {
        assert_eq!(
            shown(&[("a", "", ""), ("b", "a", ""), ("c", "a b", ""), ("d", "a", "")]),
            "(1(2 3)(4))"
        );
        assert_eq!(shown(&[("a", "", ""), ("", "", "")]), "(1)(2)");
        // The second one with that Message-ID answers nothing and nothing answers it.
        assert_eq!(shown(&[("a", "", ""), ("a", "", ""), ("b", "a", "")]), "(1 3)(2)");
    }

    #[test]
    fn what_is_missing_holds_its_answers_together() {
        assert_eq!(shown(&[("b", "a", ""), ("c", "a", "")]), "((1)(2))");
        assert_eq!(shown(&[("b", "a", "")]), "(1)");
        assert_eq!(shown(&[("c", "a x y", ""), ("d", "a x z", "")]), "((1)(2))");
        assert_eq!(shown(&[("a", "", ""), ("c", "a x", ""), ("d", "a x", "")]), "(1(2)(3))");
    }

    #[test]
    fn loops_are_not_made() {
        assert_eq!(shown(&[("a", "b", ""), ("b", "a", "")]), "(2 1)");
        assert_eq!(shown(&[("a", "a", "")]), "(1)");
        assert_eq!(shown(&[("a", "b a b a", ""), ("b", "a b", "")]), "(1)(2)");
    }

    #[test]
    fn the_last_reference_is_the_parent_whatever_was_said_before() {
        let all = [("c", "a b", ""), ("b", "x", ""), ("a", "", ""), ("x", "", "")];
        assert_eq!(shown(&all), "(3)(4 2 1)");
    }

    #[test]
    fn threads_about_the_same_are_one() {
        assert_eq!(shown(&[("a", "", "s"), ("b", "", "Re: s")]), "(1 2)");
        assert_eq!(shown(&[("a", "", "Re: s"), ("b", "", "s")]), "(2 1)");
        assert_eq!(shown(&[("a", "", "s"), ("b", "", "s"), ("c", "", "Re: s")]), "((1)(2)(3))");
        assert_eq!(
            shown(&[("b", "a", "Re: s"), ("c", "a", "Re: s"), ("d", "", "s")]),
            "((1)(2)(3))"
        );
        assert_eq!(shown(&[("a", "", ""), ("b", "", "")]), "(1)(2)");
    }

    #[test]
    fn a_long_chain_and_a_wide_one_come_to_an_end() {
        let names: Vec<String> = (0..30_000).map(|n| format!("m{n}")).collect();
        let chain: Vec<_> = (0..30_000)
            .map(|n: usize| (names[n].as_str(), n.checked_sub(1).map_or("", |n| &names[n]), ""))
            .collect();
        assert!(shown(&chain).starts_with("(1 2 3 4 "));
        let back: Vec<_> = chain.iter().rev().copied().collect();
        assert!(shown(&back).starts_with("(30000 29999 "));
        let star: Vec<_> = names.iter().map(|name| (name.as_str(), "root", "")).collect();
        assert!(shown(&star).starts_with("((1)(2)"));
    }
}

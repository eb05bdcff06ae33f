//! Base subjects (RFC 5256 §2.1): what a subject is about, without `Re:`, `[list]`, `(fwd)` and the
//! like; SORT and THREAD go by it.

/// A subject without its leaders and trailers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseSubject {
    pub text: String,
    /// Something was taken away that says so.
    pub is_reply: bool,
}

/// Of a decoded subject; no more than `SUBJECT_MAX` characters of it count.
pub fn base_subject(subject: &str) -> BaseSubject {
    let words: Vec<_> = subject.split_whitespace().collect();
    let whole: String = words.join(" ").chars().take(SUBJECT_MAX).collect();
    let (mut rest, mut is_reply) = (whole.as_str(), false);
    loop {
        while let Some(before) = without_trailer(rest) {
            (rest, is_reply) = (before, true);
        }
        while let Some((behind, reply)) = without_leader(rest) {
            (rest, is_reply) = (behind, is_reply || reply);
        }
        let Some(inner) = forwarded(rest) else { break };
        (rest, is_reply) = (inner, true);
    }
    BaseSubject { text: rest.to_owned(), is_reply }
}

/// `subj-trailer`
fn without_trailer(text: &str) -> Option<&str> {
    let at = text.len().checked_sub("(fwd)".len())?;
    let (before, trailer) = text.split_at_checked(at)?;
    trailer.eq_ignore_ascii_case("(fwd)").then(|| before.trim_end())
}

/// `subj-leader`, or a `subj-blob` that isn't all there is; whether it says that it is a reply.
fn without_leader(text: &str) -> Option<(&str, bool)> {
    let mut rest = text;
    while let Some(behind) = blob(rest) {
        rest = behind;
    }
    if let Some(behind) = reply(rest) {
        return Some((behind, true));
    }
    blob(text).filter(|behind| !behind.is_empty()).map(|behind| (behind, false))
}

/// `subj-blob`
fn blob(text: &str) -> Option<&str> {
    let (inner, behind) = text.strip_prefix('[')?.split_once(']')?;
    (!inner.contains('[')).then(|| behind.trim_start())
}

/// `subj-refwd`
fn reply(text: &str) -> Option<&str> {
    let behind = ["re", "fwd", "fw"].iter().find_map(|word| after(text, word))?.trim_start();
    let behind = blob(behind).unwrap_or(behind);
    behind.strip_prefix(':').map(str::trim_start)
}

/// `subj-fwd`: all of it stands in `[fwd: …]`.
fn forwarded(text: &str) -> Option<&str> {
    after(text, "[fwd:")?.strip_suffix(']').map(str::trim)
}

fn after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (head, behind) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(behind)
}

/// Longer ones are told apart by their beginning; what is made to be slow stays quick.
const SUBJECT_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaders_and_trailers_go() {
        for (subject, base, is_reply) in [
            ("Toplantı  yarın", "Toplantı yarın", false),
            ("Re: Toplantı", "Toplantı", true),
            ("RE : fwd[2]: Re:Toplantı (fwd) (FWD)", "Toplantı", true),
            ("[liste] [2] Re: [x] Toplantı", "Toplantı", true),
            ("[liste] Toplantı", "Toplantı", false),
            ("[liste]", "[liste]", false),
            ("Re: [liste]", "[liste]", true),
            ("[Fwd: Re: [liste] Toplantı (fwd)]", "Toplantı", true),
            ("[fwd: a] b", "b", false),
            ("Reddedildi: x", "Reddedildi: x", false),
            ("fw", "fw", false),
            ("Re:", "", true),
            ("(fwd)", "", true),
            ("[[a] b", "[[a] b", false),
            ("", "", false),
        ] {
            let expected = BaseSubject { text: base.to_owned(), is_reply };
            assert_eq!(base_subject(subject), expected, "{subject}");
        }
    }

    #[test]
    fn a_subject_made_to_be_slow_is_not() {
        base_subject(&"[a]".repeat(300_000));
        base_subject(&"[fwd:".repeat(300_000));
        base_subject(&"ş(fwd)".repeat(300_000));
    }
}

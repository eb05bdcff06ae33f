//! Fuzzy matches (RFC 6203), modest ones: each word that is looked for stands in the text, or begins a
//! word of it, or is a letter or two away from one; marks of letters don't count. `toplanti` finds
//! `Toplantısı`, `sozlesme` finds `sözleşme`, `faturra` finds `fatura`.

/// Both folded (`wire::fold`). A text is looked at as far as `TEXT_MAX`.
pub fn is_like(text: &str, sought: &str) -> bool {
    let text = text.get(..text.floor_char_boundary(TEXT_MAX)).unwrap_or_default();
    let sought: Vec<Vec<char>> = words(sought).collect();
    let mut missing: Vec<&[char]> = sought.iter().map(Vec::as_slice).collect();
    if missing.is_empty() {
        return false;
    }
    for word in words(text) {
        missing.retain(|sought| !is_near(&word, sought));
        if missing.is_empty() {
            return true;
        }
    }
    false
}

/// Words without the marks of their letters.
fn words(text: &str) -> impl Iterator<Item = Vec<char>> + '_ {
    let is_mark = |c: char| ('\u{300}'..='\u{36f}').contains(&c);
    text.split(move |c: char| !(c.is_alphanumeric() || is_mark(c)))
        .map(move |word| word.chars().filter(|c| !is_mark(*c)).collect::<Vec<_>>())
        .filter(|word| !word.is_empty())
}

fn is_near(word: &[char], sought: &[char]) -> bool {
    if word.starts_with(sought) {
        return true;
    }
    let most = match sought.len() {
        0..=3 => return false,
        4..=7 => 1,
        8..=WORD_MAX => 2,
        _ => return false,
    };
    word.len().abs_diff(sought.len()) <= most && distance(word, sought, most) <= most
}

/// How many letters must be put in, left out or made others; beyond `most` any number that is greater.
fn distance(one: &[char], other: &[char], most: usize) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.iter().enumerate() {
        let (mut before, mut best) = (at, at + 1);
        let mut left = at + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (slot, b) in row.iter_mut().skip(1).zip(other) {
            let above = *slot;
            left = (above + 1).min(left + 1).min(before + usize::from(a != b));
            (*slot, before) = (left, above);
            best = best.min(left);
        }
        if best > most {
            return best;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Octets.
const TEXT_MAX: usize = 64 << 10;
/// Letters; longer words are looked for as they are.
const WORD_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fold::fold;

    #[test]
    fn words_are_found_though_letters_are_wrong() {
        let text = fold("Ek sözleşme taslağı ve Kasım faturası, toplantı 14:30");
        for (sought, found) in [
            ("sozlesme", true),
            ("SÖZLEŞME", true),
            ("faturra", false),
            ("faturasi", true),
            ("taslak", false),
            ("taslagi", true),
            ("taslag", true),
            ("sozlesne tpolanti", true),
            ("kasım toplanti", true),
            ("aralık", false),
            ("ek", true),
            ("eh", false),
            ("fatura yok", false),
            ("", false),
            ("...", false),
        ] {
            assert_eq!(is_like(&text, &fold(sought)), found, "{sought}");
        }
    }

    #[test]
    fn letters_put_in_left_out_and_changed_count_one_each() {
        let far = |a: &str, b: &str| {
            let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
            distance(&a, &b, 9)
        };
        assert_eq!(far("fatura", "fatura"), 0);
        assert_eq!(far("fatura", "faturra"), 1);
        assert_eq!(far("fatura", "ftura"), 1);
        assert_eq!(far("fatura", "fotura"), 1);
        assert_eq!(far("", "abc"), 3);
        assert_eq!(far("kitap", "katip"), 2);
    }
}

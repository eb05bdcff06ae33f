//! Passwords that are tried first: those of lists, with a number behind them or digits for letters,
//! and those that follow a finger along the keyboard. `common-tr.txt` holds Turkish words, written for
//! this program; where the other list is from says `vendor/zxcvbn/README.md`.

use std::sync::OnceLock;

/// Whether it is among what is tried first.
pub(super) fn is_common(password: &str) -> bool {
    let plain = ascii(password);
    if plain.chars().all(|c| c.is_ascii_digit()) && plain.len() < NUMBER {
        return true;
    }
    [plain.clone(), letters(&plain, 'i'), letters(&plain, 'l')]
        .iter()
        .any(|form| is_run(form) || is_listed(form) || is_listed_with_ends(form))
        // `p4ssw0rd123`: the digits behind it are a number, not letters.
        || is_listed(&letters(trimmed(&plain), 'i'))
        || is_listed(&letters(trimmed(&plain), 'l'))
}

/// Letters of any case and their Turkish ones as ASCII has them.
pub(super) fn ascii(text: &str) -> String {
    let plain = text.chars().map(|c| match c {
        'ç' | 'Ç' => 'c',
        'ğ' | 'Ğ' => 'g',
        'ı' | 'İ' => 'i',
        'ö' | 'Ö' => 'o',
        'ş' | 'Ş' => 's',
        'ü' | 'Ü' => 'u',
        'â' | 'Â' => 'a',
        'î' | 'Î' => 'i',
        'û' | 'Û' => 'u',
        other => other.to_ascii_lowercase(),
    });
    plain.collect()
}

/// What stands for a letter is read as one.
fn letters(text: &str, one: char) -> String {
    let read = text.chars().map(|c| match c {
        '0' => 'o',
        '1' | '!' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    });
    read.collect()
}

fn is_listed(word: &str) -> bool {
    lists().iter().any(|list| list.binary_search(&word).is_ok())
}

fn is_listed_with_ends(form: &str) -> bool {
    let base = trimmed(form);
    let ends = form.chars().count().saturating_sub(base.chars().count());
    base.len() >= 3 && ends <= ENDS && is_listed(base)
}

/// Without the digits and signs around it.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

/// One letter again and again, a short piece again and again, or a walk along alphabet or keyboard.
fn is_run(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let repeats = (1..=letters.len() / 2)
        .take(PIECE)
        .any(|size| letters.iter().zip(letters.iter().skip(size)).all(|(one, other)| one == other));
    let backwards: String = letters.iter().rev().collect();
    let walks = |row: &&str| row.contains(text) || row.contains(&backwards);
    letters.len() >= 2 && (repeats || ROWS.iter().any(walks))
}

fn lists() -> &'static [Vec<&'static str>; 2] {
    static LISTS: OnceLock<[Vec<&str>; 2]> = OnceLock::new();
    LISTS.get_or_init(|| {
        [TURKISH, EVERYWHERE].map(|text| {
            let mut words: Vec<_> = text.lines().collect();
            words.sort_unstable();
            words
        })
    })
}

const TURKISH: &str = include_str!("common-tr.txt");
const EVERYWHERE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/vendor/zxcvbn/frequent.txt"));
/// Digits alone: a day, a phone, a T.C. kimlik no.
const NUMBER: usize = 14;
/// Digits and signs around a listed word, as many as a year and a little more.
const ENDS: usize = 6;
/// Letters of a piece that is repeated.
const PIECE: usize = 5;
/// Alphabets, and the rows of Turkish keyboards (Q and F), without marks.
const ROWS: [&str; 10] = [
    "abcdefghijklmnopqrstuvwxyz",
    "abccdefgghiijklmnooprsstuuvyz",
    "qwertyuiopgu",
    "asdfghjklsi",
    "zxcvbnmoc",
    "fggiodrnhpqw",
    "uieautkmlysx",
    "jovcczsb",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_known() {
        for common in [
            "password",
            "PASSWORD",
            "P4ssw0rd",
            "p@$$w0rd123",
            "password1!",
            "12345678",
            "87654321",
            "galatasaray1905",
            "Fenerbahçe1907",
            "beşiktaş",
            "ŞİFRE1234",
            "şifre2026",
            "istanbul34",
            "İstanbul34",
            "seniseviyorum",
            "aaaaaaaa",
            "abcabcabc",
            "asdfghjkl",
            "lkjhgfdsa",
            "qwertyui",
            "01011990",
            "5321234567",
            "10000000146",
            "1q2w3e4r",
            "1qaz2wsx",
            "parola!!",
            "trustno1",
            "m3hm3t123",
        ] {
            assert!(is_common(common), "{common}");
        }
    }

    #[test]
    fn what_is_not_tried_first_is_none_of_them() {
        for good in [
            "kendi sözü",
            "gizli bir söz",
            "correct horse battery staple",
            "x7f-mavi-tren-9",
            "abcde-fghjk-mnpqr",
            "yedi güzel adam",
            "galatasaray ile gelen yaz",
            "kq83hfz0",
        ] {
            assert!(!is_common(good), "{good}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_typed_nothing_panics(text in "\\PC{0,64}") {
            let _ = is_common(&text);
        }
    }
}

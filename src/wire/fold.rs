//! Folding for search: what people take for the same letter is the same. As `i;unicode-casemap`
//! (RFC 5051) has it, letters come apart into their base and their marks and case doesn't count, so
//! `LAG` finds `LAĞ`; beyond it `I`, `İ`, `ı` and `i` are one (few type them as the dictionary asks)
//! and white space of any length is one space.

use unicode_normalization::char::decompose_compatible;

/// The form in which two texts are compared: what `i;unicode-casemap` finds is found in it, too.
/// QUIRK(kep, 2026-11): and more; docs/quirks.md#59
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            c if c.is_ascii_graphic() => out.push(c.to_ascii_lowercase()),
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            'İ' | 'ı' => out.push('i'),
            // As below, without looking them up: most of what is not ASCII in Turkish.
            'ç' | 'Ç' => out.push_str("c\u{327}"),
            'ğ' | 'Ğ' => out.push_str("g\u{306}"),
            'ö' | 'Ö' => out.push_str("o\u{308}"),
            'ş' | 'Ş' => out.push_str("s\u{327}"),
            'ü' | 'Ü' => out.push_str("u\u{308}"),
            // Soft hyphens and zero-width characters are not seen.
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}' => {}
            c => decompose_compatible(c, |part| push(&mut out, part)),
        }
    }
    out
}

/// The form by which texts are put in order: the octets of `i;unicode-casemap`. A letter with a mark
/// stands behind all words with the bare one, which is where Turkish has it.
pub fn collation_key(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_uppercase) {
        decompose_compatible(c, |part| out.push(part));
    }
    out
}

fn push(out: &mut String, c: char) {
    match c {
        // The dot of `İ`.
        DOT if out.ends_with('i') => {}
        // By way of the capital `ς` is `σ`, as titlecase has it.
        c => out.extend(c.to_uppercase().flat_map(char::to_lowercase)),
    }
}

const DOT: char = '\u{307}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_letters_i_are_one() {
        assert_eq!(fold("ISPARTA"), fold("ısparta"));
        assert_eq!(fold("İSTANBUL"), fold("istanbul"));
        assert_eq!(fold("ALI.VELI@HS05.KEP.TR"), fold("ali.veli@hs05.kep.tr"));
        assert_eq!(fold("İÇİNDEKİLER"), fold("içindekiler"));
    }

    #[test]
    fn the_other_letters_differ_by_case_only() {
        assert_eq!(fold("ŞĞÇÖÜ"), fold("şğçöü"));
        assert!(!fold("şarap").contains(&fold("sarap")));
        assert_ne!(fold("şarap"), fold("sarap"));
    }

    #[test]
    fn letters_and_their_marks_apart_are_the_same_letters() {
        assert_eq!(fold("So\u{308}zles\u{327}me I\u{307}g\u{306}ne"), fold("Sözleşme İğne"));
    }

    #[test]
    fn a_bare_letter_finds_it_with_a_mark_at_its_end() {
        for (text, found) in [("LAĞ", "LAG"), ("LAĞ", "lağ"), ("ﬁrma", "FIRMA"), ("ΟΔΟΣ", "οδος")]
        {
            assert!(fold(text).contains(&fold(found)), "{text} {found}");
        }
    }

    #[test]
    fn words_stand_in_the_order_of_the_alphabet() {
        let mut words = ["ırmak", "çay", "dere", "cam", "ŞEHİR", "sır", "Zor", "öz", "ot"];
        words.sort_by_key(|word| collation_key(word));
        assert_eq!(words, ["cam", "çay", "dere", "ırmak", "ot", "öz", "sır", "ŞEHİR", "Zor"]);
    }

    #[test]
    fn line_ends_are_spaces() {
        assert_eq!(fold("bir\r\n  iki\u{a0}on"), "bir iki on");
    }
}

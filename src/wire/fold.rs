//! Turkish folding for search: what people take for the same letter is the same. `I`, `İ`, `ı` and
//! `i` are one (few type them as the dictionary asks), the others differ by case only; white space
//! of any length is one space.

/// The form in which two texts are compared.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii_graphic() => out.push(c.to_ascii_lowercase()),
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            'İ' | 'ı' => out.push('i'),
            // As below, without looking them up: half of what is not ASCII in Turkish.
            'ç' | 'ğ' | 'ö' | 'ş' | 'ü' => out.push(c),
            // Soft hyphens and zero-width characters are not seen.
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}' => {}
            '\u{300}'..='\u{36f}' => combine(&mut out, c),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// A letter and its mark apart, as some systems write names of files (Unicode NFD).
fn combine(out: &mut String, mark: char) {
    let composed = match (out.chars().next_back(), mark) {
        // The dot of `İ`.
        (Some('i'), DOT) => return,
        (Some('g'), BREVE) => 'ğ',
        (Some('s'), CEDILLA) => 'ş',
        (Some('c'), CEDILLA) => 'ç',
        (Some('o'), DIAERESIS) => 'ö',
        (Some('u'), DIAERESIS) => 'ü',
        (Some('a'), CIRCUMFLEX) => 'â',
        (Some('i'), CIRCUMFLEX) => 'î',
        (Some('u'), CIRCUMFLEX) => 'û',
        _ => return out.push(mark),
    };
    out.pop();
    out.push(composed);
}

const DOT: char = '\u{307}';
const BREVE: char = '\u{306}';
const CEDILLA: char = '\u{327}';
const DIAERESIS: char = '\u{308}';
const CIRCUMFLEX: char = '\u{302}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_letters_i_are_one() {
        assert_eq!(fold("ISPARTA"), fold("ısparta"));
        assert_eq!(fold("İSTANBUL"), fold("istanbul"));
        assert_eq!(fold("ALI.VELI@HS05.KEP.TR"), fold("ali.veli@hs05.kep.tr"));
        assert_eq!(fold("İÇİNDEKİLER"), "içindekiler");
    }

    #[test]
    fn the_other_letters_differ_by_case_only() {
        assert_eq!(fold("ŞĞÇÖÜ"), "şğçöü");
        assert_ne!(fold("şarap"), fold("sarap"));
    }

    #[test]
    fn letters_and_their_marks_apart_are_the_same_letters() {
        assert_eq!(fold("So\u{308}zles\u{327}me I\u{307}g\u{306}ne"), fold("Sözleşme İğne"));
    }

    #[test]
    fn line_ends_are_spaces() {
        assert_eq!(fold("bir\r\n  iki\u{a0}üç"), "bir iki üç");
    }
}

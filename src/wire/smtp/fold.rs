//! Turkish into ASCII, for replies.

/// `Çağrı` becomes `Cagri`; other letters outside ASCII become `?`, control characters a space.
pub fn ascii(text: &str) -> String {
    text.chars().map(fold).collect()
}

fn fold(c: char) -> char {
    match c {
        'ç' => 'c',
        'Ç' => 'C',
        'ğ' => 'g',
        'Ğ' => 'G',
        'ı' | 'î' => 'i',
        'İ' | 'Î' => 'I',
        'ö' => 'o',
        'Ö' => 'O',
        'ş' => 's',
        'Ş' => 'S',
        'ü' | 'û' => 'u',
        'Ü' | 'Û' => 'U',
        'â' => 'a',
        'Â' => 'A',
        '’' | '‘' => '\'',
        c if c.is_ascii_control() => ' ',
        c if c.is_ascii() => c,
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::ascii;

    #[test]
    fn turkish_letters_lose_their_marks() {
        assert_eq!(ascii("Çağrı İŞLEMİ öğünü"), "Cagri ISLEMI ogunu");
        assert_eq!(ascii("日\r\nx"), "?  x");
    }
}

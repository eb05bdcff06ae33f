//! Values: escapes, lists and structured ones (RFC 6350 §3.4).

/// The text behind a value. What is no escape stays as it is.
pub fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, false) => out.push(c),
            (_, true) => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(escaped @ ('\\' | ',' | ';' | ':')) => out.push(escaped),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
        }
    }
    out
}

/// A text as a value, or as one part of it.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ',' | ';' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

/// The parts of a structured value, each a list; texts unescaped.
pub fn components(value: &str) -> Vec<Vec<String>> {
    split(value, ';').into_iter().map(items).collect()
}

/// The texts of a list.
pub fn items(value: &str) -> Vec<String> {
    split(value, ',').into_iter().map(text).collect()
}

/// A structured value of single texts.
pub fn join(parts: &[&str]) -> String {
    parts.iter().map(|part| escape(part)).collect::<Vec<_>>().join(";")
}

fn split(value: &str, at: char) -> Vec<&str> {
    let (mut parts, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (place, c) in value.char_indices() {
        if c == at && !escaped {
            parts.push(value.get(begin..place).unwrap_or_default());
            begin = place + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(value.get(begin..).unwrap_or_default());
    parts
}

//! The language of what people read: Turkish, unless the caller would rather have English.

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tongue {
    #[default]
    Turkish,
    English,
}

impl Tongue {
    /// By `Accept-Language` (RFC 9110 §12.5.4): the one that is liked better; of equals the first.
    pub fn of(wanted: &str) -> Self {
        let mut best = (0, Self::default());
        for item in wanted.split(',').take(ITEMS) {
            let mut parts = item.split(';');
            let range = parts.next().unwrap_or_default().trim();
            let quality = parts.find_map(|part| part.trim().strip_prefix("q="));
            let quality = quality.map_or(1000, thousandths);
            let tongue = match range.split('-').next().unwrap_or_default() {
                word if word.eq_ignore_ascii_case("tr") || word == "*" => Self::Turkish,
                word if word.eq_ignore_ascii_case("en") => Self::English,
                _ => continue,
            };
            if quality > best.0 {
                best = (quality, tongue);
            }
        }
        best.1
    }

    pub fn tag(self) -> &'static str {
        match self {
            Self::Turkish => "tr",
            Self::English => "en",
        }
    }
}

fn thousandths(quality: &str) -> u32 {
    let value = quality.trim().parse::<f32>().unwrap_or_default();
    if (0.0..=1.0).contains(&value) { (value * 1000.0) as u32 } else { 0 }
}

/// Browsers name a handful.
const ITEMS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_liked_better_is_spoken() {
        for (wanted, tag) in [
            ("", "tr"),
            ("en", "en"),
            ("en-GB,en;q=0.9,tr;q=0.8", "en"),
            ("tr-TR,tr;q=0.9,en;q=0.8", "tr"),
            ("de,en;q=0.1", "en"),
            ("de", "tr"),
            ("en;q=0", "tr"),
            ("en;q=0.3, *;q=0.5", "tr"),
            ("en;q=x", "tr"),
            ("EN", "en"),
        ] {
            assert_eq!(Tongue::of(wanted).tag(), tag, "{wanted}");
        }
    }
}

//! Composing XML text: elements in order, everything escaped, nothing that XML 1.0 can't carry.

use std::borrow::Cow;

/// Composes one document. Names come from us, values from anybody.
pub struct Writer {
    out: String,
    open: Vec<&'static str>,
}

impl Writer {
    /// Starts with the XML declaration.
    pub fn document() -> Self {
        let mut out = String::with_capacity(4096);
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        Self { out, open: Vec::new() }
    }

    pub fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(name, attributes);
        self.out.push('>');
        self.open.push(name);
        self
    }

    pub fn close(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
        self
    }

    /// `<name …>text</name>`
    pub fn leaf(
        &mut self,
        name: &'static str,
        attributes: &[(&str, &str)],
        text: &str,
    ) -> &mut Self {
        self.open(name, attributes);
        self.out.push_str(&escape(text));
        self.close()
    }

    pub fn text(&mut self, name: &'static str, text: &str) -> &mut Self {
        self.leaf(name, &[], text)
    }

    /// `<name …/>`
    pub fn empty(&mut self, name: &'static str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(name, attributes);
        self.out.push_str("/>");
        self
    }

    /// Closes what is open.
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            self.out.push_str(&attribute(value));
            self.out.push('"');
        }
    }
}

/// Character data, safe between tags; carriage returns survive the next reader.
pub fn escape(text: &str) -> Cow<'_, str> {
    match without_illegal(text) {
        Cow::Borrowed(text) => quick_xml::escape::partial_escape(text),
        Cow::Owned(text) => Cow::Owned(quick_xml::escape::partial_escape(text).into_owned()),
    }
}

/// XML 1.0 §2.2: what no document can carry, even escaped, becomes U+FFFD.
pub fn without_illegal(text: &str) -> Cow<'_, str> {
    if text.contains(illegal) {
        Cow::Owned(text.replace(illegal, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn attribute(text: &str) -> String {
    let text = without_illegal(text);
    let escaped = quick_xml::escape::escape(text.as_ref());
    escaped.replace('\t', "&#9;").replace('\n', "&#10;")
}

fn illegal(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

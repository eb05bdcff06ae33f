//! Names of files in the archive: ASCII alone, so that every program on every system unpacks them under
//! the names that the checksums have.

use crate::store::evidence::{self, EvidenceRow};
use crate::store::mail::view::Mailbox;
use crate::wire::digest::sha256;

/// `iletiler/12-Giden-Kutusu`
pub fn mailbox(mailbox: &Mailbox) -> String {
    format!("{MAILS}/{}-{}", mailbox.id.0, plain(&mailbox.name))
}

/// `deliller/1a2b@hs05.kep.tr/delivery_3f2a.xml`, in a further dialect `….DIALECT.xml`, another provider's
/// `delivery-hs06.kep.tr-ID.xml`.
pub fn evidence(row: &EvidenceRow, further: bool) -> String {
    let by = match row.origin.as_str() {
        evidence::OWN => String::new(),
        peer => format!("-{}-", plain(peer)),
    };
    let dialect = if further { format!(".{}", row.dialect) } else { String::new() };
    let (folder, id) = (unique(row.message_id.as_str()), unique(row.document_id()));
    format!("{EVIDENCE}/{folder}/{}{by}{id}{dialect}.xml", row.event)
}

/// `dogrulama/SHA256.crt`
pub fn material(kind: &str, sha256: &str) -> String {
    let extension = match kind {
        "certificate" => "crt",
        "crl" => "crl",
        _ => "ocsp",
    };
    format!("{MATERIAL}/{sha256}.{extension}")
}

/// As [`plain`], and two that differ differ: others choose what they call theirs.
fn unique(text: &str) -> String {
    let name = plain(text);
    match name == text && !marked(text) {
        true => name,
        false => {
            let digest = sha256(text.as_bytes()).hex();
            format!("{name}-{}", digest.get(..MARK).unwrap_or(&digest))
        }
    }
}

/// Whether it looks as one does that was marked.
fn marked(text: &str) -> bool {
    let digest = text.rsplit_once('-').map(|(_, digest)| digest);
    digest.is_some_and(|one| one.len() == MARK && one.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `zaman-damgalari/1a2b@hs05.kep.tr/delivery-ID.xml.1.tst` (RFC 3161, a TimeStampToken in DER)
pub fn stamp(evidence: &str, number: usize) -> String {
    let bare = evidence.strip_prefix(EVIDENCE).unwrap_or(evidence);
    format!("{STAMPS}{bare}.{number}.tst")
}

fn plain(text: &str) -> String {
    let letter = |c: char| match c {
        'ç' => 'c',
        'Ç' => 'C',
        'ğ' => 'g',
        'Ğ' => 'G',
        'ı' => 'i',
        'İ' => 'I',
        'ö' => 'o',
        'Ö' => 'O',
        'ş' => 's',
        'Ş' => 'S',
        'ü' => 'u',
        'Ü' => 'U',
        ' ' | '/' => '-',
        c if c.is_ascii_alphanumeric() || "-_.@".contains(c) => c,
        _ => '_',
    };
    let name: String = text.chars().take(NAME_MAX).map(letter).collect();
    // A part of a path that begins with a dot hides or leads elsewhere.
    match name.starts_with('.') {
        true => format!("_{name}"),
        false => name,
    }
}

const MAILS: &str = "iletiler";
/// A dispatch as it was sealed.
pub const DISPATCH: &str = "gonderi.eml";
/// Of what is not in a mailbox any more.
pub const HELD: &str = "iletiler/tutulan";
const EVIDENCE: &str = "deliller";
const STAMPS: &str = "zaman-damgalari";
const MATERIAL: &str = "dogrulama";
/// Names of files have 255 octets at most, and there are others beside this one.
const NAME_MAX: usize = 100;
/// Digits of a digest.
const MARK: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_its_folder() {
        for (name, expected) in [
            ("Giden Kutusu", "Giden-Kutusu"),
            ("Çöp Kutusu/İş", "Cop-Kutusu-Is"),
            ("../../etc/passwd", "_..-..-etc-passwd"),
            ("a\0b\\c:d", "a_b_c_d"),
            ("日本", "__"),
        ] {
            assert_eq!(plain(name), expected);
        }
        assert_eq!(plain(&"x".repeat(500)).len(), NAME_MAX);
    }

    #[test]
    fn what_is_called_differently_has_another_name_in_the_archive() {
        let long = "x".repeat(120);
        for (one, other) in [("a:b", "a_b"), ("a:b", "a;b"), (long.as_str(), &long[..119])] {
            assert_ne!(unique(one), unique(other));
        }
        let as_marked = unique("x/y");
        assert_ne!(unique(&as_marked), as_marked, "nobody calls his as another one's is called");
        assert_eq!(unique("1a2b@hs05.kep.tr"), "1a2b@hs05.kep.tr");
        assert!(unique(&"日".repeat(300)).len() < 120);
    }
}

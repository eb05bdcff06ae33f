//! Any octets have a tree whose parts lie within the message and each other, in order; what is kept
//! of it in a row is read again as the same, and what FETCH says of it is IMAP.
#![no_main]
use imap_codec::ResponseCodec;
use imap_codec::decode::Decoder;
use kep::wire::imap::Structure;
use kep::wire::mime::{self, Layout, Part, Section, SectionText};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let root = mime::parse(octets);
    assert_eq!((root.header.start, root.body.end), (0, octets.len()));
    assert_eq!(mime::header(octets), root.header_bytes(octets));
    let depth = contained(&root);
    let row = Structure::compute(octets);
    let read = Structure::read(&row).expect("what was computed is read");
    let layout = Layout::of(&root);
    assert_eq!(read.layout().as_ref(), Some(&layout));
    for part in [vec![], vec![1], vec![2], vec![1, 1], vec![1, 2], vec![2, 1, 1]] {
        for text in [SectionText::Whole, SectionText::Header, SectionText::Text, SectionText::Mime]
        {
            let found = layout.find(&Section { part: part.clone(), text });
            assert!(found.is_none_or(|f| f.start <= f.end && f.end <= octets.len() as u64));
        }
    }
    // The judge is made for bodies of a few levels.
    if depth <= 4 && row.len() < 16_384 {
        is_imap("ENVELOPE", read.envelope);
        is_imap("BODYSTRUCTURE", read.bodystructure);
        is_imap("BODYSTRUCTURE", read.masked_bodystructure);
        is_imap("BODY", read.body);
        is_imap("BODY", read.masked_body);
    }
});

/// The levels below and with this part.
fn contained(part: &Part) -> usize {
    assert!(part.header.start <= part.header.end && part.header.end == part.body.start);
    assert!(part.body.start <= part.body.end);
    let (mut at, mut depth) = (part.body.start, 0);
    for child in part.children() {
        assert!(at <= child.header.start && child.body.end <= part.body.end, "{part:?}");
        at = child.body.end;
        depth = depth.max(contained(child));
    }
    depth + 1
}

fn is_imap(item: &str, value: &[u8]) {
    let line = [b"* 1 FETCH (", item.as_bytes(), b" ", value, b")\r\n"].concat();
    let read = ResponseCodec::default().decode(&line);
    let whole = matches!(&read, Ok((rest, _)) if rest.is_empty());
    assert!(whole, "{}: {:?}", String::from_utf8_lossy(&line), read.err());
}

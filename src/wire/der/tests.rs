use super::*;
use crate::wire::Timestamp;
use proptest::prelude::*;

#[test]
fn lengths_go_both_ways() {
    for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
        let octets = vec![7; length];
        let written = octet_string(&octets);
        assert_eq!(parse(&written).unwrap().content, octets);
    }
}

#[test]
fn times_go_both_ways() {
    for millis in [0, 1_700_000_000_000, 2_524_608_000_000, -1_000] {
        let at = Timestamp::from_millis(millis);
        assert_eq!(parse(&time(at)).unwrap().time(), Ok(at));
    }
    for millis in [1_700_000_000_000, 1_700_000_000_100, 1_700_000_000_120, 1_700_000_000_007] {
        let at = Timestamp::from_millis(millis);
        let written = precise_time(at);
        assert_eq!(parse(&written).unwrap().time(), Ok(at));
        assert!(!written.ends_with(b"0Z") || millis % 1000 == 0);
    }
}

#[test]
fn bad_times_are_refused() {
    for text in ["", "Z", "20261399000000Z", "2026112308395Z", "20261123083952", "é0261123083952Z"]
    {
        let written = element(tag::GENERALIZED_TIME, &[text.as_bytes()]);
        assert_eq!(parse(&written).unwrap().time(), Err(DerError::Value), "{text}");
    }
}

#[test]
fn strings_in_pieces_are_joined() {
    let ber = [0x24, 0x80, 4, 2, 1, 2, 0x24, 3, 4, 1, 3, 0, 0];
    assert_eq!(parse(&ber).unwrap().octets().unwrap().as_ref(), [1, 2, 3]);
}

#[test]
fn pieces_within_pieces_end_early() {
    let nested = |levels: usize| {
        let (open, close) = ([0x24, 0x80].repeat(levels), [0, 0].repeat(levels));
        [open, vec![4, 1, 7], close].concat()
    };
    assert_eq!(parse(&nested(4)).unwrap().octets().unwrap().as_ref(), [7]);
    assert_eq!(parse(&nested(5)).unwrap().octets(), Err(DerError::Deep));
}

#[test]
fn depth_is_bounded() {
    let deep = [0x30, 0x80].repeat(100_000);
    assert_eq!(parse(&deep), Err(DerError::Deep));
}

#[test]
fn long_lists_are_refused() {
    let list = |length: usize| sequence(&[&[5, 0].repeat(length)]);
    assert_eq!(parse(&list(4_096)).unwrap().children().unwrap().len(), 4_096);
    assert_eq!(parse(&list(4_097)).unwrap().children(), Err(DerError::Many));
}

#[test]
fn integers_are_shortest_and_not_negative() {
    assert_eq!(integer(&[]), [2, 1, 0]);
    assert_eq!(integer(&[0, 0]), [2, 1, 0]);
    assert_eq!(integer(&[0, 0x80]), [2, 2, 0, 0x80]);
    assert_eq!(small_integer(65), [2, 1, 65]);
    assert_eq!(named_bit(2), [3, 2, 5, 0x20]);
}

proptest! {
    #[test]
    fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(node) = parse(&octets) {
            let _ = (node.children(), node.time(), node.octets(), node.bits(), node.oid(), node.small());
        }
    }
}

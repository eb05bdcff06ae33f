use super::*;
use proptest::prelude::*;

fn bands(text: &str) -> Bands {
    Bands::parse(text).unwrap()
}

#[test]
fn the_price_is_that_of_the_band_of_the_size() {
    let bands = bands("100 KiB = 1, 5 MiB=2,more = 5");
    let sizes = [0, 1, 102_400, 102_401, 5 << 20, (5 << 20) + 1, u64::MAX];
    assert_eq!(sizes.map(|octets| bands.price(octets)), [1, 1, 1, 2, 2, 5, 5]);
    assert_eq!(bands.write(), "100 KiB = 1, 5 MiB = 2, more = 5");
}

#[test]
fn each_recipient_costs_and_those_here_may_be_free() {
    let (bands, back) = (bands("1 MiB = 2, more = 4"), GiveBack::parse("21, 41").unwrap());
    let to = Recipients { here: 2, elsewhere: 3 };
    let paid = price(&bands, &back, false, 2 << 20, to);
    assert_eq!((paid.total, paid.here, paid.elsewhere), (20, 4, 4));
    assert_eq!(paid.back, [21, 41]);
    let free = price(&bands, &back, true, 10, to);
    assert_eq!((free.total, free.here, free.elsewhere), (6, 0, 2));
    let none = price(&bands, &back, true, 10, Recipients { here: 9, elsewhere: 0 });
    assert_eq!(none.total, 0);
}

#[test]
fn what_is_no_table_of_prices_is_refused() {
    let bad = [
        "",
        "more",
        "1 MiB = 1",
        "more = 1, 1 MiB = 2",
        "2 MiB = 1, 1 MiB = 2, more = 3",
        "1 MiB = 1, 1 MiB = 2, more = 3",
        "0 B = 1, more = 1",
        "1 MB = 1, more = 2",
        "-1 MiB = 1, more = 2",
        "more = -1",
        "more = 1000001",
        "99999999999999999999 GiB = 1, more = 2",
    ];
    for bad in bad {
        assert_eq!(Bands::parse(bad), None, "{bad}");
    }
}

#[test]
fn only_failures_after_acceptance_give_back() {
    let back = |text: &str| GiveBack::parse(text).map(|back| back.write());
    assert_eq!(back("41,21 , 31, 21").as_deref(), Some("21, 31, 41"));
    assert_eq!(back("none").as_deref(), Some("none"));
    for bad in ["", "10", "11", "21,", "yes"] {
        assert_eq!(back(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        sizes in proptest::collection::btree_set(1..=1_u64 << 50, 0..5),
        prices in proptest::collection::vec(0..MOST, 6),
    ) {
        let bands = sizes.into_iter().zip(prices.iter().copied()).collect();
        let table = Bands { bands, more: prices[5] };
        prop_assert_eq!(Bands::parse(&table.write()), Some(table));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = Bands::parse(&text);
        let _ = GiveBack::parse(&text);
    }

    #[test]
    fn no_number_of_recipients_leaves_the_numbers(here in any::<usize>(), elsewhere in any::<usize>()) {
        let (bands, back) = (bands("more = 1000000"), GiveBack::parse("none").unwrap());
        let charge = price(&bands, &back, false, 0, Recipients { here, elsewhere });
        prop_assert!(charge.total >= 0);
    }
}

use super::*;

/// The rows of the table in a page: `| act | yes or – … |`.
fn written() -> Vec<(String, Vec<bool>)> {
    let page = include_str!("../../../docs/operators.md");
    let head = format!("| act | {} |", Role::ALL.map(Role::word).join(" | "));
    let mut lines = page.lines().skip_while(|line| *line != head).skip(2);
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let act = cells.next()?.split_whitespace().next()?.to_owned();
        Some((act, cells.map(|cell| cell == "yes").collect()))
    };
    lines.by_ref().take_while(|line| line.starts_with('|')).filter_map(row).collect()
}

#[test]
fn the_table_of_roles_is_the_one_that_the_page_shows() {
    let table: Vec<_> =
        TABLE.iter().map(|(act, may)| (act.word().to_owned(), may.to_vec())).collect();
    assert_eq!(written(), table);
}

#[test]
fn several_roles_may_what_any_of_them_may_and_full_may_all() {
    let all = Roles::new(Role::ALL).unwrap();
    for (act, may) in TABLE {
        for (role, may) in Role::ALL.into_iter().zip(may) {
            assert_eq!(Roles::new([role]).unwrap().may(act), may, "{role:?} {act:?}");
        }
        assert!(all.may(act) && Roles::new([Role::Full]).unwrap().may(act));
    }
    let two = Roles::new([Role::Sends, Role::Reads]).unwrap();
    assert!(two.may(Act::Submit) && two.may(Act::Read) && !two.may(Act::Sign));
}

#[test]
fn roles_are_read_as_they_are_written() {
    for bits in 1..64_u8 {
        let roles = Role::ALL.into_iter().filter(|role| bits & (1 << *role as u8) != 0);
        let roles = Roles::new(roles).unwrap();
        assert_eq!(Roles::parse(&roles.words()), Some(roles));
    }
    assert_eq!(Roles::new([]), None);
    assert_eq!(Roles::parse(""), None);
    assert_eq!(Roles::parse("signs owns"), None);
    assert_eq!(Roles::parse("signs signs").unwrap().words(), "signs");
}

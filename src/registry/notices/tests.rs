use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_795_424_000);

fn target(events: &[Event], whose: Whose) -> Target {
    Target {
        id: 1,
        account: AccountId(1),
        reach: Reach::parse("05321234567").unwrap(),
        language: Language::Turkish,
        events: events.iter().copied().collect(),
        quiet: "22:00-08:00".parse().ok(),
        whose,
        proven_at: Some(NOW),
    }
}

fn deputy() -> Whose {
    Whose::Deputy(Absence { deputy: "Ayşe".into(), from: NOW, until: NOW.plus_secs(86_400) })
}

#[test]
fn one_hears_what_one_wants_where_it_is_proven() {
    let holder = target(&[Event::Mail, Event::Login], Whose::Holder);
    assert!(holder.hears(Kind::Mail, NOW));
    assert!(!holder.hears(Kind::Evidence, NOW));
    assert!(holder.hears(Kind::Credentials, NOW), "nobody can switch that off");
    assert!(!holder.hears(Kind::LoginCode, NOW), "that is sent by whoever asks for it");
    let unproven = Target { proven_at: None, ..holder };
    assert!(!unproven.hears(Kind::Mail, NOW));
}

#[test]
fn a_deputy_hears_of_mail_while_the_holder_is_away() {
    let deputy = target(&Event::ALL, deputy());
    assert!(deputy.hears(Kind::Mail, NOW));
    assert!(!deputy.hears(Kind::Mail, NOW.plus_millis(-1)));
    assert!(!deputy.hears(Kind::Mail, NOW.plus_secs(86_400)));
    for kind in [Kind::Login, Kind::Credit, Kind::Credentials, Kind::Certificate] {
        assert!(!deputy.hears(kind, NOW), "{kind:?}");
    }
}

#[test]
fn a_row_is_its_target() {
    for whose in [Whose::Holder, deputy()] {
        let one = target(&[Event::Unread, Event::Credit], whose);
        assert_eq!(super::target(&row(&one, NOW)).unwrap(), one);
    }
    let mut newer = row(&target(&[Event::Mail], Whose::Holder), NOW);
    newer.events += " dreams";
    assert_eq!(super::target(&newer).unwrap().events.len(), 1);
}

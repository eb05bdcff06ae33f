use super::*;
use crate::registry::holders::HolderKind;
use proptest::prelude::*;

fn hand(staff: &str) -> Hand {
    Hand { staff: staff.into(), at: 1 }
}

fn created() -> State {
    State::Created { by: hand("ayse") }
}

fn on(state: &State, step: Step, who: &str) -> Result<State, ApplicationError> {
    state.after(step, hand(who), &[])
}

#[test]
fn four_eyes_are_two_people() {
    let checked = on(&created(), Step::Check, "ece").unwrap();
    let own = on(&checked, Step::Approve, "Ece").unwrap_err();
    assert!(matches!(own, ApplicationError::SameHand(_)), "who checked approves nothing");
    let first = on(&checked, Step::Approve, "ayse").unwrap();
    assert_eq!(first.word(), "seconded");
    for same in ["ayse", "AYSE", " Ayse ", "ece"] {
        let again = on(&first, Step::Approve, same).unwrap_err();
        assert!(matches!(again, ApplicationError::SameHand(_)), "{same}");
    }
    let early = on(&first, Step::Activate { account: AccountId(1) }, "veli").unwrap_err();
    let expected = ApplicationError::Mistimed { stage: "seconded", done: "activated" };
    assert_eq!(early, expected);
    let approved = on(&first, Step::Approve, "veli").unwrap();
    let active = on(&approved, Step::Activate { account: AccountId(7) }, "veli").unwrap();
    assert!(!active.holds(), "the account has the address");
    assert!(approved.holds());
    for step in [Step::Check, Step::Approve, Step::Refuse { reason: "x".into(), block: true }] {
        assert!(on(&active, step, "can").is_err());
    }
}

#[test]
fn papers_are_there_before_they_are_checked() {
    let papers = |words: &[&str]| -> Vec<Paper> {
        words.iter().map(|word| Paper::parse(word).unwrap()).collect()
    };
    let lack = missing(HolderKind::Person, &papers(&["identity=Dolap 3/17"]));
    assert_eq!(lack, [PaperKind::Contract]);
    let refused = created().after(Step::Check, hand("ayse"), &lack).unwrap_err();
    assert_eq!(refused.to_string(), "papers are missing: contract");
    assert!(missing(HolderKind::Person, &papers(&["signed-contract"])).is_empty());
    let company = papers(&["registry", "activity", "circular", "operators", "contract"]);
    assert!(missing(HolderKind::Company, &company).is_empty());
    assert_eq!(missing(HolderKind::Company, &company[1..]), [PaperKind::Registry]);
    assert_eq!(
        missing(HolderKind::Public, &papers(&["signed-contract"])),
        [PaperKind::Authorisation, PaperKind::Operators]
    );
    for bad in ["", "photo", "identity=a\nb", &format!("identity={}", "x".repeat(201))] {
        assert_eq!(Paper::parse(bad), None, "{bad:.20}");
    }
    for kind in PaperKind::ALL {
        assert_eq!(PaperKind::parse(kind.word()), Some(*kind));
        let json = serde_json::to_string(kind).unwrap();
        assert_eq!(json, format!("\"{}\"", kind.word()));
    }
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Check),
        4 => Just(Step::Approve),
        3 => Just(Step::Activate { account: AccountId(3) }),
        1 => any::<bool>().prop_map(|block| Step::Refuse { reason: "x".into(), block }),
        1 => Just(Step::Withdraw { reason: String::new() }),
    ]
}

proptest! {
    /// Whatever is tried, and by whom: who is active was approved by two, and what is over stays so.
    #[test]
    fn nobody_is_activated_by_one_person(
        steps in proptest::collection::vec((a_step(), 0_usize..4), 0..30)
    ) {
        let mut state = created();
        for (step, who) in steps {
            let over = matches!(state.word(), "activated" | "refused" | "withdrawn");
            match state.after(step, hand(["ayse", "AYSE", "veli", "ece"][who]), &[]) {
                Ok(after) => {
                    prop_assert!(!over);
                    let json = serde_json::to_string(&after).unwrap();
                    prop_assert_eq!(&serde_json::from_str::<State>(&json).unwrap(), &after);
                    state = after;
                }
                Err(_) => continue,
            }
            if let State::Approved { check, first, second }
            | State::Activated { check, first, second, .. } = &state
            {
                prop_assert!(!same(&first.staff, &second.staff));
                prop_assert!(!same(&check.staff, &first.staff) && !same(&check.staff, &second.staff));
            }
        }
    }
}

//! Holders, addresses, applications, contracts and closings on both drivers: what is given once is given
//! once, who approves is two, and time moves accounts whoever looks and when.

use super::bed::Bed;
use super::{NOW, on_both};
use kep::registry::accounts::{
    self, Account, NewAccount, OpeningMode, RegistryError, SignatureRule,
};
use kep::registry::addresses::{self, Called, Untaken};
use kep::registry::applications::{
    self, Application, ApplicationError, Paper, Purpose, Step, Wish,
};
use kep::registry::audit::{self, Actor, By, Channel, Wanted};
use kep::registry::caretaker::{Caretaker, Round};
use kep::registry::closings::{self, Outcome};
use kep::registry::contracts;
use kep::registry::directory::entry;
use kep::registry::holders::records::{self, NewHolding};
use kep::registry::holders::{Contact, ContactForm, Holder, HolderForm};
use kep::registry::labels::LabelError;
use kep::registry::policy;
use kep::registry::standing::{AccountState, Act, Move, Service, Stage, may};
use kep::registry::tasks::TaskKind;
use kep::registry::terms::{self, Terms};
use kep::store::tasks::ending_contracts;
use kep::store::{RowsError, Store, Tx};
use kep::trust::detached::Word;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::tsa::Authority;
use kep::trust::{
    Anchors, Clock, Readiness, Role, SealVerifier, StampSettings, StampSource, Stamper,
    TokenVerifier,
};
use kep::wire::{AccountId, ApplicationId, KepAddress, KepDomain, Timestamp};
use secrecy::SecretString;
use std::sync::Arc;

pub const SECRET: &str = "kimsenin bilmedigi bir soz";
pub const ALI: &str = "10000000146";
pub const VELI: &str = "10000000214";
pub const DAY: i64 = 86_400;

pub fn domain() -> KepDomain {
    KepDomain::parse("hs05.kep.tr").unwrap()
}

pub fn address(text: &str) -> KepAddress {
    KepAddress::parse(text).unwrap()
}

pub fn staff(name: &str, at: Timestamp) -> By {
    By { actor: Actor::Staff(name.into()), channel: Channel::CommandLine, at }
}

pub fn person(number: &str) -> Holder {
    let form = HolderForm {
        kind: "person".into(),
        given_names: Some("Ali".into()),
        surname: Some("Veli".into()),
        identity_number: Some(number.into()),
        ..HolderForm::default()
    };
    Holder::parse(&form, NOW).unwrap()
}

pub fn company(vkn: &str) -> Holder {
    let form = HolderForm {
        kind: "company".into(),
        title: Some("Örnek A.Ş.".into()),
        vkn: Some(vkn.into()),
        mersis: Some(format!("0{vkn}00014")),
        ..HolderForm::default()
    };
    Holder::parse(&form, NOW).unwrap()
}

pub fn holding(at: &str, holder: Holder) -> NewHolding {
    let account = NewAccount {
        address: address(at),
        name: String::new(),
        identity_number: None,
        opening: OpeningMode::Sealed,
        signature: SignatureRule::Required,
        password: "-".into(),
        certificates: Vec::new(),
        at: NOW,
    };
    NewHolding {
        account,
        holder,
        contact: Contact::default(),
        service: Service::Both,
        months: None,
    }
}

pub async fn open(store: &Store, at: &str, holder: Holder) -> Result<AccountId, RegistryError> {
    let by = staff("ayse", NOW);
    records::open(store, &domain(), holding(at, holder), &by).await.map(|(id, _)| id)
}

pub async fn untaken(store: &Store, at: &str, holder: Holder) -> Option<Untaken> {
    match open(store, at, holder).await {
        Err(RegistryError::Untaken(_, why)) => Some(why),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

pub async fn stage(store: &Store, at: &str, now: Timestamp) -> Stage {
    accounts::get(store, &address(at)).await.unwrap().state.stage_at(now)
}

pub async fn acts(store: &Store, subject: &str) -> Vec<String> {
    let wanted = Wanted { subject: Some(subject.into()), most: 100, ..Wanted::default() };
    let mut acts: Vec<_> =
        audit::list(store, wanted).await.unwrap().into_iter().map(|entry| entry.act).collect();
    acts.reverse();
    acts
}

pub fn wish(at: &str, holder: Holder) -> Wish {
    Wish {
        purpose: Purpose::Opening,
        address: address(at),
        holder,
        contact: Contact::default(),
        service: Service::Receive,
        opening: OpeningMode::Direct,
        signature: None,
        months: Some(24),
        papers: vec![Paper::parse("identity=Dolap 3/17").unwrap()],
    }
}

pub async fn stepped(
    store: &Store,
    id: ApplicationId,
    step: Step,
    who: &str,
) -> Result<Application, RegistryError> {
    applications::step(store, id, step, Vec::new(), &staff(who, NOW)).await
}

/// Checked with all papers and approved by two.
pub async fn approved(store: &Store, at: &str, holder: Holder) -> ApplicationId {
    let by = staff("ayse", NOW);
    let id = applications::add(store, &domain(), wish(at, holder), &by).await.unwrap().id;
    let papers = vec![Paper::parse("contract").unwrap()];
    applications::step(store, id, Step::Check, papers, &by).await.unwrap();
    stepped(store, id, Step::Approve, "ece").await.unwrap();
    stepped(store, id, Step::Approve, "can").await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_given_once_and_nothing_like_it_to_others() {
    on_both(|bed| async move {
        let store = &bed.store;
        open(store, "ali.veli@hs05.kep.tr", person(ALI)).await.unwrap();
        assert_eq!(untaken(store, "ali.veli@hs05.kep.tr", person(ALI)).await, Some(Untaken::Given));
        for like in ["aliveli@hs05.kep.tr", "ali_veli@hs05.kep.tr", "a1i.veli@hs05.kep.tr"] {
            assert_eq!(
                untaken(store, like, person(VELI)).await,
                Some(Untaken::LookAlike),
                "{like}"
            );
        }
        // His own likeness is his.
        assert_eq!(untaken(store, "aliveli@hs05.kep.tr", person(ALI)).await, None);
        for reserved in ["postmaster@hs05.kep.tr", "kepservisi@hs05.kep.tr", "destek@hs05.kep.tr"] {
            assert_eq!(untaken(store, reserved, person(VELI)).await, Some(Untaken::Reserved));
        }
        let his = records::accounts_of(store, &person(ALI)).await.unwrap();
        assert_eq!(his.len(), 2);
        assert!(
            his.iter()
                .all(|one| one.name == "Ali Veli" && one.identity_number.as_deref() == Some(ALI))
        );

        // It was given, however its account ended.
        let by = |at| staff("ayse", at);
        let ali = address("ali.veli@hs05.kep.tr");
        closings::close(store, &ali, &by(NOW)).await.unwrap();
        let late = NOW.plus_secs(120 * DAY);
        accounts::change_state(store, &ali, Move::End, &by(late)).await.unwrap();
        assert_eq!(untaken(store, ali.as_str(), person(ALI)).await, Some(Untaken::Given));

        let other = open(store, "x@hs06.kep.tr", person(VELI)).await;
        assert!(matches!(other, Err(RegistryError::Foreign(..))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sub_domain_is_one_institutions() {
    on_both(|bed| async move {
        let store = &bed.store;
        let (one, two) = ("8760052205", "3880718497");
        assert_eq!(untaken(store, "ornek@ornek.hs05.kep.tr", company(one)).await, None);
        assert_eq!(untaken(store, "bilgi@ornek.hs05.kep.tr", company(one)).await, None);
        let another = Some(Untaken::SubDomainOfAnother);
        assert_eq!(untaken(store, "satis@ornek.hs05.kep.tr", company(two)).await, another);
        let of_person = Some(Untaken::SubDomainOfPerson);
        assert_eq!(untaken(store, "ali@ornek.hs05.kep.tr", person(ALI)).await, of_person);
        let reserved = Some(Untaken::SubDomainReserved);
        assert_eq!(untaken(store, "x@portal.hs05.kep.tr", company(two)).await, reserved);

        let called = Called::Institution { title: "Örnek A.Ş.".into() };
        let free =
            addresses::propose(store, &domain(), &called, &company(two).key(), 2).await.unwrap();
        let free: Vec<_> = free.iter().map(KepAddress::as_str).collect();
        assert_eq!(free, ["ornek@hs05.kep.tr", "ornek2@hs05.kep.tr"]);
        let ali = Called::Person { given_names: "Ali".into(), surname: "Veli".into() };
        open(store, "ali.veli@hs05.kep.tr", person(ALI)).await.unwrap();
        let free = addresses::propose(store, &domain(), &ali, "", 1).await.unwrap();
        assert_eq!(free, [address("veli.ali@hs05.kep.tr")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_becomes_an_account_by_two_peoples_approval() {
    on_both(|bed| async move {
        let store = &bed.store;
        let ali = "ali.veli@hs05.kep.tr";
        let by = staff("ayse", NOW);
        let taken = applications::add(store, &domain(), wish(ali, person(ALI)), &by).await.unwrap();
        // Its address is kept for it, and there is no account yet.
        assert!(accounts::find(store, &address(ali)).await.unwrap().is_none());
        assert_eq!(untaken(store, ali, person(ALI)).await, Some(Untaken::Given));
        assert_eq!(
            untaken(store, "aliveli@hs05.kep.tr", person(VELI)).await,
            Some(Untaken::LookAlike)
        );
        let lack = stepped(store, taken.id, Step::Check, "ayse").await.unwrap_err();
        assert_eq!(lack.to_string(), "papers are missing: contract");
        let papers = vec![Paper::parse("contract=Dolap 3/18").unwrap()];
        let checked = applications::step(store, taken.id, Step::Check, papers, &by).await.unwrap();
        assert_eq!(checked.wish.papers.len(), 2);
        stepped(store, taken.id, Step::Approve, "ece").await.unwrap();
        for same in ["Ece", "ayse"] {
            let same = stepped(store, taken.id, Step::Approve, same).await.unwrap_err();
            assert!(matches!(same, RegistryError::Application(ApplicationError::SameHand(_))));
        }
        let secret = SecretString::from(SECRET);
        let rule = SignatureRule::Required;
        let activate = || applications::activate(store, taken.id, &secret, rule, &by);
        let early = activate().await.unwrap_err();
        assert_eq!(early.to_string(), "the application is seconded; it can't be activated now");
        assert!(accounts::find(store, &address(ali)).await.unwrap().is_none());
        stepped(store, taken.id, Step::Approve, "can").await.unwrap();
        let (active, contract) = activate().await.unwrap();
        assert_eq!((active.state.word(), contract.n), ("activated", 1));
        assert!(activate().await.is_err(), "once");
        let account = accounts::get(store, &address(ali)).await.unwrap();
        assert_eq!((account.service, account.opening), (Service::Receive, OpeningMode::Direct));
        let kept = applications::find(store, taken.id).await.unwrap();
        assert_eq!(kept, active);
        let expected = [
            "application.add",
            "application.check",
            "application.approve",
            "application.approve",
            "account.open",
            "application.activate",
        ];
        assert_eq!(acts(store, ali).await, expected);
        let nobody = By::system("x", NOW);
        let nameless =
            applications::add(store, &domain(), wish("b@hs05.kep.tr", person(VELI)), &nobody).await;
        assert!(matches!(nameless, Err(RegistryError::Application(ApplicationError::Nameless))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_address_is_free_again_unless_it_is_blocked() {
    on_both(|bed| async move {
        let store = &bed.store;
        let by = staff("ayse", NOW);
        let add = async |at, holder| {
            applications::add(store, &domain(), wish(at, holder), &by).await.map(|one| one.id)
        };
        let one = add("veli@hs05.kep.tr", person(ALI)).await.unwrap();
        assert!(add("veli@hs05.kep.tr", person(VELI)).await.is_err());
        let refuse = |block| Step::Refuse { reason: "belge sahte".into(), block };
        let empty = Step::Refuse { reason: " ".into(), block: false };
        assert!(matches!(stepped(store, one, empty, "can").await, Err(RegistryError::Reason(_))));
        stepped(store, one, refuse(false), "can").await.unwrap();
        let two = add("veli@hs05.kep.tr", person(VELI)).await.unwrap();
        stepped(store, two, Step::Withdraw { reason: String::new() }, "can").await.unwrap();
        let three = add("bakanlik@hs05.kep.tr", person(VELI)).await.unwrap();
        stepped(store, three, refuse(true), "can").await.unwrap();
        for like in ["bakanlik@hs05.kep.tr", "bakan.lik@hs05.kep.tr"] {
            assert!(add(like, person(ALI)).await.is_err(), "{like}");
        }
        let refused = applications::list(store, Some("refused"), None, 10).await.unwrap();
        assert_eq!(refused.iter().map(|one| one.id).collect::<Vec<_>>(), [three, one]);
        let all = applications::list(store, None, Some(three), 1).await.unwrap();
        assert_eq!(all[0].id, two);
        let unknown = applications::find(store, ApplicationId(999)).await;
        assert!(matches!(unknown, Err(RegistryError::Application(ApplicationError::Unknown(_)))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_same_time_one_gets_the_address() {
    on_both(|bed| async move {
        let likes = ["ali.veli", "aliveli", "ali-veli", "ali_veli", "a1iveli", "ali.ve1i"];
        let numbers = [ALI, VELI, "12345678950", "11111111110", ALI, VELI];
        let tries = likes.into_iter().zip(numbers).map(|(local, number)| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                let by = staff("ayse", NOW);
                let wish = wish(&format!("{local}@hs05.kep.tr"), person(number));
                applications::add(&store, &domain(), wish, &by)
                    .await
                    .map(|one| one.wish.holder.key())
            })
        });
        let mut given = Vec::new();
        for one in tries.collect::<Vec<_>>() {
            match one.await.unwrap() {
                Ok(key) => given.push(key),
                Err(RegistryError::Untaken(..)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        given.dedup();
        assert_eq!(given.len(), 1, "all that is alike is one holder's");

        // And two approvals at once by one person are one.
        let id = applications::list(&bed.store, None, None, 1).await.unwrap()[0].id;
        let papers = vec![Paper::parse("contract").unwrap()];
        applications::step(&bed.store, id, Step::Check, papers, &staff("ayse", NOW)).await.unwrap();
        let approvals = (0..4).map(|_| {
            let store = bed.store.clone();
            tokio::spawn(async move { stepped(&store, id, Step::Approve, "can").await.is_ok() })
        });
        let mut done = 0;
        for one in approvals.collect::<Vec<_>>() {
            done += usize::from(one.await.unwrap());
        }
        assert_eq!(done, 1);
        let kept = applications::find(&bed.store, id).await.unwrap();
        assert_eq!(kept.state.word(), "seconded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_holder_alone_gets_his_account_back() {
    on_both(|bed| async move {
        let store = &bed.store;
        let ali = "ali.veli@hs05.kep.tr";
        open(store, ali, person(ALI)).await.unwrap();
        let by = staff("ayse", NOW);
        let wrong = applications::add(store, &domain(), wish(ali, person(ALI)), &by).await;
        assert!(matches!(wrong, Err(RegistryError::Untaken(..))), "it is open");
        closings::close(store, &address(ali), &by).await.unwrap();
        for number in [None, Some(VELI), Some("8760052205"), Some("")] {
            let refused = closings::reopen(store, &address(ali), number, &by).await;
            assert!(matches!(refused, Err(RegistryError::NotTheHolder(_))), "{number:?}");
        }
        let other = applications::add(store, &domain(), wish(ali, person(VELI)), &by).await;
        assert!(matches!(other, Err(RegistryError::Untaken(..))));
        let id = approved(store, ali, person(ALI)).await;
        let purpose = applications::find(store, id).await.unwrap().wish.purpose;
        assert_eq!(purpose, Purpose::Reopening);
        let rule = SignatureRule::Required;
        let (_, contract) =
            applications::activate(store, id, &SECRET.into(), rule, &by).await.unwrap();
        assert_eq!((contract.n, stage(store, ali, NOW).await), (2, Stage::Active));
        // By staff, who checked him anew.
        closings::close(store, &address(ali), &by).await.unwrap();
        closings::reopen(store, &address(ali), Some("100 000 001 46"), &by).await.unwrap();
        assert_eq!(stage(store, ali, NOW).await, Stage::Active);
        let passed = records::set_holder(store, &address(ali), person(VELI), &by).await;
        assert!(
            matches!(passed, Err(RegistryError::NotTheHolder(_))),
            "an account never passes on"
        );
    })
    .await;
}

/// What two people approved for a reopened account holds, and it has a contract.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reopened_account_is_as_it_was_applied_for() {
    on_both(|bed| async move {
        let store = &bed.store;
        let ali = "ali.veli@hs05.kep.tr";
        open(store, ali, person(ALI)).await.unwrap();
        let by = staff("ayse", NOW);
        closings::close(store, &address(ali), &by).await.unwrap();
        let form = ContactForm { email: Some("ali@example.org".into()), ..ContactForm::default() };
        let wish = Wish {
            contact: Contact::parse(&form).unwrap(),
            signature: Some(SignatureRule::Optional),
            ..wish(ali, person(ALI))
        };
        let id = applications::add(store, &domain(), wish, &by).await.unwrap().id;
        let papers = vec![Paper::parse("contract").unwrap()];
        applications::step(store, id, Step::Check, papers, &by).await.unwrap();
        stepped(store, id, Step::Approve, "ece").await.unwrap();
        stepped(store, id, Step::Approve, "can").await.unwrap();
        let rule = SignatureRule::Required;
        applications::activate(store, id, &SECRET.into(), rule, &by).await.unwrap();
        let account = accounts::get(store, &address(ali)).await.unwrap();
        let had = (account.opening, account.signature, account.service);
        assert_eq!(had, (OpeningMode::Direct, SignatureRule::Optional, Service::Receive));
        let record = records::of(store, &address(ali)).await.unwrap();
        assert_eq!(record.contact.form().email, form.email);
    })
    .await;
}

/// An account that staff reopen after its contract is over has one again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reopened_account_whose_term_is_over_begins_another() {
    on_both(|bed| async move {
        let store = &bed.store;
        let ali = "ali.veli@hs05.kep.tr";
        open(store, ali, person(ALI)).await.unwrap();
        let terms = async || contracts::of(store, &address(ali)).await.unwrap();
        for (at, n) in [(NOW, 1), (NOW.plus_secs(500 * DAY), 2)] {
            let by = staff("ayse", at);
            closings::close(store, &address(ali), &by).await.unwrap();
            closings::reopen(store, &address(ali), Some(ALI), &by).await.unwrap();
            assert_eq!(terms().await.len(), n, "one that goes on is not doubled");
            assert!(terms().await[0].ends_at > at);
            closings::reopen(store, &address(ali), Some(ALI), &by).await.unwrap();
            assert_eq!(terms().await.len(), n, "what is open is not opened");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrected_holder_is_corrected_for_all_his_accounts() {
    on_both(|bed| async move {
        let store = &bed.store;
        let (one, two) = ("ornek@ornek.hs05.kep.tr", "bilgi@ornek.hs05.kep.tr");
        let (firm, by) = (company("8760052205"), staff("ayse", NOW));
        open(store, one, firm.clone()).await.unwrap();
        open(store, two, firm.clone()).await.unwrap();
        open(store, "baska@hs05.kep.tr", company("3880718497")).await.unwrap();
        let title = "Örnek Yazılım A.Ş.";
        let form = HolderForm { title: Some(title.into()), ..firm.form() };
        let corrected = Holder::parse(&form, NOW).unwrap();
        records::set_holder(store, &address(two), corrected.clone(), &by).await.unwrap();
        for at in [one, two] {
            let account = accounts::get(store, &address(at)).await.unwrap();
            assert_eq!(account.name, title, "{at}");
            let id = account.id;
            let told = store.read(move |tx: &mut Tx<'_>| entry::shown(tx, id)).await.unwrap();
            assert_eq!(told.unwrap().title.as_deref(), Some(title), "{at}");
            assert_eq!(acts(store, at).await.last().unwrap(), "account.holder", "{at}");
        }
        let other = accounts::get(store, &address("baska@hs05.kep.tr")).await.unwrap();
        assert_eq!(other.name, firm.name());
        let count = acts(store, one).await.len();
        records::set_holder(store, &address(two), corrected, &by).await.unwrap();
        assert_eq!(acts(store, one).await.len(), count, "nothing became different");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contact_data_keeps_its_versions_and_its_values_out_of_the_audit() {
    on_both(|bed| async move {
        let store = &bed.store;
        let ali = address("ali.veli@hs05.kep.tr");
        open(store, ali.as_str(), person(ALI)).await.unwrap();
        let by = staff("ayse", NOW);
        let email = |text: &str| ContactForm { email: Some(text.into()), ..ContactForm::default() };
        records::set_contact(store, &ali, email("ali@ornek.com"), &by).await.unwrap();
        let mobile =
            ContactForm { mobile: Some("0532 555 00 11".into()), ..ContactForm::default() };
        let both = records::set_contact(store, &ali, mobile.clone(), &by).await.unwrap();
        assert!(both.email.is_some() && both.mobile.is_some());
        records::set_contact(store, &ali, mobile, &by).await.unwrap();
        let gone = records::set_contact(store, &ali, email(""), &by).await.unwrap();
        assert!(gone.email.is_none());
        let bad = records::set_contact(store, &ali, email("ali@hs05.kep.tr"), &by).await;
        assert!(matches!(bad, Err(RegistryError::Holder(_))));
        let versions = records::versions(store, &ali).await.unwrap();
        assert_eq!(versions.len(), 3, "what changes nothing is no version");
        assert_eq!(versions[2].contact.email.as_deref(), Some("ali@ornek.com"));
        assert_eq!(versions[0].changed_by, "staff:ayse");
        let wanted = Wanted { subject: Some(ali.to_string()), most: 10, ..Wanted::default() };
        let entries = audit::list(store, wanted).await.unwrap();
        assert!(entries.iter().all(|entry| !entry.details.to_string().contains("ornek.com")));
        assert_eq!(entries[0].details["fields"], serde_json::json!(["email"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contracts_follow_each_other() {
    on_both(|bed| async move {
        let store = &bed.store;
        let ali = address("ali.veli@hs05.kep.tr");
        open(store, ali.as_str(), person(ALI)).await.unwrap();
        let first = contracts::of(store, &ali).await.unwrap()[0];
        let by = |at| staff("ayse", at);
        let second = contracts::renew(store, &ali, Some(6), &by(NOW.plus_secs(DAY))).await.unwrap();
        assert_eq!((second.n, second.starts_at), (2, first.ends_at.plus_millis(1)));
        // Too late: it begins when it is renewed.
        let late = second.ends_at.plus_secs(40 * DAY);
        let third = contracts::renew(store, &ali, None, &by(late)).await.unwrap();
        assert_eq!((third.n, third.starts_at), (3, late));
        for months in [0, 121, u32::MAX] {
            let wrong = contracts::renew(store, &ali, Some(months), &by(late)).await;
            assert!(matches!(wrong, Err(RegistryError::Months(_))), "{months}");
        }
        let span = |by: Timestamp| {
            let find = move |tx: &mut Tx<'_>| {
                ending_contracts(tx, TaskKind::ContractEnding.word(), (late, by), 10)
            };
            store.read(find)
        };
        let ending = span(third.ends_at).await.unwrap();
        assert_eq!((ending.len(), ending[0].n), (1, third.n));
        assert!(span(second.ends_at).await.unwrap().is_empty(), "a later one is there");
        closings::close(store, &ali, &by(late)).await.unwrap();
        assert!(span(third.ends_at).await.unwrap().is_empty());
        let closed = contracts::renew(store, &ali, None, &by(late)).await;
        assert!(matches!(closed, Err(RegistryError::Standing(..))));
    })
    .await;
}

/// A seal, stamps and a clock that stands, and what verifies them.
pub fn word(now: Timestamp) -> (Word, SealVerifier) {
    let (kind, links) = (KeyKind::P256, Links::default());
    let root = CertificateAuthority::create("Root", kind, NOW).unwrap();
    let anchors = || Anchors::new(vec![root.certificate().clone()]).unwrap();
    let seal =
        Profile::Seal { domain: domain().to_string(), email: "kepservisi@hs05.kep.tr".into() };
    let seal = root.issue(&seal, kind, &links, NOW).unwrap();
    let path = anchors().path(seal.certificate(), &[], Role::Seal).unwrap();
    let stamps = root.issue(&Profile::TimeStamp { name: "ZD".into() }, kind, &links, NOW).unwrap();
    let stamps = Authority::new(Arc::new(stamps.signer().unwrap()));
    let clock = Clock::Fixed(now);
    let source = StampSource::Embedded(Arc::new(stamps), clock.clone());
    let tokens = || TokenVerifier::new(anchors(), Vec::new());
    let stamper = Stamper::new(source, tokens(), clock.clone(), &StampSettings::default());
    let stamper = Arc::new(stamper.unwrap());
    let readiness = Arc::new(Readiness::new(path, Arc::clone(&stamper), None, clock.clone()));
    let word = Word { seal: Arc::new(seal.signer().unwrap()), stamper, readiness, clock };
    (word, SealVerifier::new(anchors(), Vec::new(), tokens()))
}

fn caretaker(bed: &Bed, now: Timestamp) -> Caretaker {
    let (word, _) = word(now);
    let (store, clock) = (bed.store.clone(), Clock::Fixed(now));
    Caretaker { store, clock, word, provider: "Örnek KEP".into() }
}

async fn receives(store: &Store, account: &Account, now: Timestamp) -> bool {
    let id = account.id;
    let work = move |tx: &mut Tx<'_>| -> Result<bool, RowsError> { may(tx, id, Act::Receive, now) };
    store.read(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closing_is_asked_for_withdrawn_completed_and_ends() {
    on_both(|bed| async move {
        let store = &bed.store;
        let ali = address("ali.veli@hs05.kep.tr");
        open(store, ali.as_str(), person(ALI)).await.unwrap();
        let by = |at| staff("ayse", at);
        let asked = closings::request(store, &ali, "taşındım", &by(NOW)).await.unwrap();
        let hour = NOW.plus_secs(7 * DAY);
        assert_eq!((asked.completes_at, asked.outcome), (Some(hour), Outcome::Open));
        let again = closings::request(store, &ali, "", &by(NOW)).await;
        assert!(matches!(again, Err(RegistryError::Standing(..))));
        closings::withdraw(store, &ali, &by(NOW.plus_secs(DAY))).await.unwrap();
        assert!(closings::withdraw(store, &ali, &by(NOW.plus_secs(DAY))).await.is_err());
        let asked = closings::request(store, &ali, "", &by(NOW)).await.unwrap();

        // The receipt: signed once, over what it says; the caretaker signs what was left.
        let (signer, verifier) = word(NOW);
        let receipt = closings::sign(store, &signer, "Örnek KEP", asked.id).await.unwrap();
        let sealed = verifier.verify(&receipt.text, &receipt.signature, NOW).unwrap();
        assert_eq!(sealed.token.unwrap().gen_time, receipt.stamped_at);
        let text = String::from_utf8(receipt.text.clone()).unwrap();
        for part in ["ali.veli@hs05.kep.tr", "Ali Veli", &hour.iso8601(), &hour.turkish()] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(
            verifier
                .verify(text.replace("Ali", "Ada").as_bytes(), &receipt.signature, NOW)
                .is_err()
        );
        let second = closings::sign(store, &word(NOW).0, "Başka", asked.id).await.unwrap();
        assert_eq!(second, receipt);
        let round = caretaker(&bed, NOW).round().await.unwrap();
        assert_eq!(round, Round { signed: 1, ..Round::default() }, "that of the withdrawn one");

        // Time does it, whether it is written down or not.
        let account = accounts::get(store, &ali).await.unwrap();
        assert!(receives(store, &account, hour.plus_millis(-1)).await);
        assert!(!receives(store, &account, hour).await);
        assert!(closings::withdraw(store, &ali, &by(hour)).await.is_err());
        let late = hour.plus_secs(20 * DAY);
        assert_eq!(caretaker(&bed, late).round().await.unwrap().completed, 1);
        assert_eq!(caretaker(&bed, late).round().await.unwrap(), Round::default());
        let account = accounts::get(store, &ali).await.unwrap();
        assert_eq!(account.state, AccountState::Closed { since: Some(hour) });
        let kept = closings::of(store, &ali).await.unwrap();
        assert_eq!(kept[0].outcome, Outcome::Completed(hour));
        assert!(matches!(kept[1].outcome, Outcome::Withdrawn(_)));
        let until = account.readable_until().unwrap();
        assert_eq!(caretaker(&bed, until).round().await.unwrap(), Round::default());
        assert_eq!(caretaker(&bed, until.plus_millis(1)).round().await.unwrap().ended, 1);
        assert_eq!(caretaker(&bed, until.plus_secs(DAY)).round().await.unwrap(), Round::default());
        let account = accounts::get(store, &ali).await.unwrap();
        assert_eq!(account.state, AccountState::Ended { since: until });
        let expected = [
            "account.open",
            "account.closing.request",
            "account.closing.withdraw",
            "account.closing.request",
            "account.closing.complete",
            "account.end",
        ];
        assert_eq!(acts(store, ali.as_str()).await, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_long_stop_all_is_caught_up_at_once_as_of_its_hour() {
    on_both(|bed| async move {
        let store = &bed.store;
        let ali = address("ali.veli@hs05.kep.tr");
        open(store, ali.as_str(), person(ALI)).await.unwrap();
        closings::request(store, &ali, "", &staff("ayse", NOW)).await.unwrap();
        let years = NOW.plus_secs(700 * DAY);
        assert_eq!(stage(store, ali.as_str(), years).await, Stage::Ended);
        // The caretaker's word is a year old: its receipt waits, and nothing else does.
        let round = caretaker(&bed, years).round().await.unwrap();
        assert_eq!((round.completed, round.ended), (1, 1));
        let closed = AccountState::Closed { since: Some(NOW.plus_secs(7 * DAY)) };
        let since = closed.readable_until().unwrap();
        assert_eq!(accounts::get(store, &ali).await.unwrap().state, AccountState::Ended { since });
        // Whoever comes back is the old holder.
        closings::reopen(store, &ali, Some(ALI), &staff("ayse", years)).await.unwrap();
        assert_eq!(stage(store, ali.as_str(), years).await, Stage::Active);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_say_who_completes_and_whether_a_closed_account_receives() {
    on_both(|bed| async move {
        let store = &bed.store;
        let ali = address("ali.veli@hs05.kep.tr");
        open(store, ali.as_str(), person(ALI)).await.unwrap();
        let by = staff("ayse", NOW);
        let decide = async |key: &str, value: &str| {
            policy::set(store, &by, key, value, NOW, "deneme").await.unwrap();
        };
        decide("closing.by-system", "no").await;
        let asked = closings::request(store, &ali, "", &by).await.unwrap();
        assert_eq!(asked.completes_at, None);
        let late = NOW.plus_secs(99 * DAY);
        assert_eq!(stage(store, ali.as_str(), late).await, Stage::Closing, "staff completes it");
        closings::close(store, &ali, &staff("can", late)).await.unwrap();
        let account = accounts::get(store, &ali).await.unwrap();
        assert!(!receives(store, &account, late).await);
        policy::set(store, &staff("ayse", late), "closing.receives", "yes", late, "deneme")
            .await
            .unwrap();
        assert!(receives(store, &account, late).await);
        let over = account.readable_until().unwrap().plus_millis(1);
        assert!(!receives(store, &account, over).await, "three months, whatever the policy");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_e_seal_is_an_institutions_and_asks_for_the_policy() {
    on_both(|bed| async move {
        let store = &bed.store;
        let (ali, firm) = (address("ali.veli@hs05.kep.tr"), address("ornek@ornek.hs05.kep.tr"));
        open(store, ali.as_str(), person(ALI)).await.unwrap();
        open(store, firm.as_str(), company("8760052205")).await.unwrap();
        let by = staff("ayse", NOW);
        let seal = Terms { e_seal: Some(true), ..Terms::default() };
        let permit = async |at: &KepAddress| terms::set(store, at, &seal, &by).await;
        assert!(matches!(
            permit(&ali).await,
            Err(LabelError::Registry(RegistryError::NotForPersons))
        ));
        assert!(matches!(
            permit(&firm).await,
            Err(LabelError::Registry(RegistryError::Forbidden(_)))
        ));
        policy::set(store, &by, "e-seal.allowed", "yes", NOW, "deneme").await.unwrap();
        permit(&firm).await.unwrap();
        assert!(records::of(store, &firm).await.unwrap().e_seal);
        let receive = Terms { service: Some(Service::Receive), ..Terms::default() };
        terms::set(store, &firm, &receive, &by).await.unwrap();
        let standing = accounts::get(store, &firm).await.unwrap();
        assert_eq!(standing.service, Service::Receive);
    })
    .await;
}

//! Who gets an address, and by which way: kept ones and sub-domains are nobody else's, however somebody asks
//! for them, and once there is staff accounts come of applications.

use super::holders::{
    ALI, DAY, SECRET, VELI, acts, address, approved, company, domain, holding, open, person, staff,
    stage, stepped, untaken, wish,
};
use super::{NOW, on_both};
use kep::registry::accounts::{self, NewAccount, RegistryError, SignatureRule};
use kep::registry::addresses::Untaken;
use kep::registry::applications::{self, Step};
use kep::registry::holders::records;
use kep::registry::holders::{Contact, Holder};
use kep::registry::staff::{self as members, StaffRole};
use kep::registry::standing::{Service, Stage};
use kep::registry::{closings, policy, sub_domains};
use secrecy::SecretString;

/// Before anybody is staff whoever holds the machine opens accounts; then they come of applications.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_there_is_staff_no_registrar_opens_an_account_alone() {
    on_both(|bed| async move {
        let store = &bed.store;
        let by = staff("ayse", NOW);
        let nameless = async |at: &str| {
            let account = holding(at, person(ALI)).account;
            let contact = Contact::default();
            records::open_unknown(store, &domain(), account, contact, Service::Both, &by).await
        };
        let reopen = async |at: &str, number| {
            closings::close(store, &address(at), &by).await.unwrap();
            closings::reopen(store, &address(at), number, &by).await
        };
        let (ali, ece) = ("ali.veli@hs05.kep.tr", "ece.ak@hs05.kep.tr");
        open(store, ali, person(ALI)).await.unwrap();
        nameless(ece).await.unwrap();
        reopen(ali, Some(ALI)).await.unwrap();
        let secret = SecretString::from("uzun bir parola sozu");
        let manager = [StaffRole::Manager];
        members::add(store, &by, "mudur", "Müdür", &manager, &secret).await.unwrap();

        let tried = async || {
            [
                open(store, "veli@hs05.kep.tr", person(VELI)).await.map(|_| ()),
                nameless("can.su@hs05.kep.tr").await,
                reopen(ali, Some(ALI)).await,
                reopen(ece, None).await,
            ]
        };
        for refused in tried().await {
            assert!(matches!(refused, Err(RegistryError::ByApplication)), "{refused:?}");
        }
        assert_eq!(stage(store, ali, NOW).await, Stage::Closed);
        let free = accounts::find(store, &address("veli@hs05.kep.tr")).await.unwrap();
        assert!(free.is_none());
        // By an application it goes on.
        let id = approved(store, ali, person(ALI)).await;
        applications::activate(store, id, &SECRET.into(), SignatureRule::Optional, &by)
            .await
            .unwrap();
        assert_eq!(stage(store, ali, NOW).await, Stage::Active);

        policy::set(store, &by, "account.direct", "yes", NOW, "kuruluş").await.unwrap();
        for done in tried().await {
            done.unwrap();
        }
    })
    .await;
}

/// Of whom a name alone is known gets no address that is kept, given, or like one, and nobody's sub-domain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes_to_what_is_anothers_by_being_unknown() {
    on_both(|bed| async move {
        let store = &bed.store;
        let by = staff("ayse", NOW);
        let nameless = async |at: &str| {
            let account = holding(at, person(ALI)).account;
            let contact = Contact::default();
            records::open_unknown(store, &domain(), account, contact, Service::Both, &by).await
        };
        let add = async |at, holder| {
            applications::add(store, &domain(), wish(at, holder), &by).await.unwrap().id
        };
        add("ali.veli@hs05.kep.tr", person(ALI)).await;
        let blocked = add("bakanlik@hs05.kep.tr", person(VELI)).await;
        let refuse = Step::Refuse { reason: "belge sahte".into(), block: true };
        stepped(store, blocked, refuse, "can").await.unwrap();
        open(store, "ornek@ornek.hs05.kep.tr", company("8760052205")).await.unwrap();
        for (at, why) in [
            ("ali.veli@hs05.kep.tr", Untaken::Given),
            ("aliveli@hs05.kep.tr", Untaken::LookAlike),
            ("bakanlik@hs05.kep.tr", Untaken::Given),
            ("bakan1ik@hs05.kep.tr", Untaken::LookAlike),
            ("ornek@ornek.hs05.kep.tr", Untaken::SubDomainOfAnother),
            ("satis@ornek.hs05.kep.tr", Untaken::SubDomainOfAnother),
            ("x@portal.hs05.kep.tr", Untaken::SubDomainReserved),
            ("kepservisi@hs05.kep.tr", Untaken::Reserved),
        ] {
            let refused = nameless(at).await;
            let said = matches!(&refused, Err(RegistryError::Untaken(_, found)) if *found == why);
            assert!(said, "{at}: {refused:?}");
        }
        // Whose that of an unknown one is, is said by recording him.
        nameless("bir@kurum.hs05.kep.tr").await.unwrap();
        let (one, two) = (company("3880718497"), company("8760052205"));
        let another = Some(Untaken::SubDomainOfAnother);
        assert_eq!(untaken(store, "iki@kurum.hs05.kep.tr", two.clone()).await, another);
        let kurum = address("bir@kurum.hs05.kep.tr");
        let of_person = records::set_holder(store, &kurum, person(ALI), &by).await;
        assert!(matches!(of_person, Err(RegistryError::Untaken(..))), "{of_person:?}");
        records::set_holder(store, &kurum, one.clone(), &by).await.unwrap();
        assert_eq!(untaken(store, "iki@kurum.hs05.kep.tr", two.clone()).await, another);
        assert_eq!(untaken(store, "iki@kurum.hs05.kep.tr", one).await, None);

        // An account of old in a sub-domain that is somebody's is not bound to another.
        let account =
            NewAccount { name: "Eski".into(), ..holding("eski@ornek.hs05.kep.tr", two).account };
        accounts::add(store, &domain(), account).await.unwrap();
        let eski = address("eski@ornek.hs05.kep.tr");
        let bound = records::set_holder(store, &eski, company("3880718497"), &by).await;
        assert!(matches!(bound, Err(RegistryError::Untaken(..))), "{bound:?}");
    })
    .await;
}

/// A sub-domain is kept for who applied first, no longer than his application or an account of it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sub_domain_of_a_refused_application_is_free_again() {
    on_both(|bed| async move {
        let store = &bed.store;
        let (one, two) = (company("8760052205"), company("3880718497"));
        let by = staff("ayse", NOW);
        let add = async |at, holder: &Holder| {
            let wish = wish(at, holder.clone());
            applications::add(store, &domain(), wish, &by).await.map(|one| one.id)
        };
        let whose = async || {
            let all = sub_domains::list(store, &domain(), Some("ornek")).await.unwrap();
            all.first().map(|one| one.identity.clone())
        };
        let refuse = |block| Step::Refuse { reason: "belge sahte".into(), block };
        let first = add("ornek@ornek.hs05.kep.tr", &one).await.unwrap();
        let second = add("bilgi@ornek.hs05.kep.tr", &one).await.unwrap();
        let other = add("satis@ornek.hs05.kep.tr", &two).await.unwrap_err();
        let another = Untaken::SubDomainOfAnother;
        assert!(matches!(other, RegistryError::Untaken(_, why) if why == another));
        // An address that nobody gets keeps no sub-domain; another application does.
        stepped(store, first, refuse(true), "can").await.unwrap();
        assert_eq!(whose().await, Some(one.key()));
        let release = async |at| {
            let by = staff("ayse", at);
            sub_domains::release(store, &domain(), "ornek", "Sehven alındı", &by).await
        };
        let held = release(NOW).await;
        assert!(matches!(held, Err(RegistryError::SubDomainInUse(_))), "{held:?}");
        stepped(store, second, Step::Withdraw { reason: String::new() }, "can").await.unwrap();
        assert_eq!(whose().await, None);
        let third = add("satis@ornek.hs05.kep.tr", &two).await.unwrap();
        stepped(store, third, refuse(false), "can").await.unwrap();

        // With an account it stays, whatever is refused, until that has ended and staff frees it.
        let ornek = "info@ornek.hs05.kep.tr";
        open(store, ornek, two.clone()).await.unwrap();
        let fourth = add("satis@ornek.hs05.kep.tr", &two).await.unwrap();
        stepped(store, fourth, refuse(false), "can").await.unwrap();
        assert_eq!(whose().await, Some(two.key()));
        let shown = sub_domains::list(store, &domain(), None).await.unwrap();
        assert_eq!((shown.len(), shown[0].accounts.len(), shown[0].applications.len()), (1, 1, 0));
        assert_eq!(shown[0].holder.as_ref().unwrap().1, two.name());
        closings::close(store, &address(ornek), &by).await.unwrap();
        assert!(release(NOW.plus_secs(DAY)).await.is_err(), "it can be read still");
        let late = NOW.plus_secs(120 * DAY);
        release(late).await.unwrap();
        assert_eq!(whose().await, None);
        let gone = release(late).await;
        assert!(matches!(gone, Err(RegistryError::NoSubDomain(_))), "{gone:?}");
        assert_eq!(acts(store, "ornek.hs05.kep.tr").await, ["sub_domain.release"]);
        assert_eq!(untaken(store, "destek@ornek.hs05.kep.tr", one).await, None);
        // Whose it is from now on keeps it: the account that had ended comes back into it no more.
        let back = add(ornek, &two).await;
        assert!(matches!(back, Err(RegistryError::Untaken(_, why)) if why == another), "{back:?}");
        let direct = closings::reopen(store, &address(ornek), Some("3880718497"), &by).await;
        assert!(matches!(direct, Err(RegistryError::Untaken(..))), "{direct:?}");
    })
    .await;
}

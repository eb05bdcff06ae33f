//! Address books on both stores: whose contacts are whose, imports that may come twice, and what a card
//! says beyond what is understood here.

use super::bed::Bed;
use super::{NOW, on_both};
use kep::registry::audit::{self, Actor, By, Channel, Wanted};
use kep::registry::contacts::{
    self, Contact, ContactError, Fate, Fault, Fields, GROUPS_MAX, Report, Separator,
};
use kep::wire::{AccountId, Timestamp};

const AYSE: &str = "ayse@hs05.kep.tr";
const MERT: &str = "mert@hs05.kep.tr";

fn by() -> By {
    by_at(NOW)
}

fn by_at(at: Timestamp) -> By {
    By { actor: Actor::Staff("zeynep".into()), channel: Channel::CommandLine, at }
}

fn fields(name: &str, kep: &[&str]) -> Fields {
    let kep = kep.iter().map(|address| (*address).to_owned()).collect();
    Fields { name: name.into(), kep, ..Fields::default() }
}

async fn add(
    bed: &Bed,
    account: AccountId,
    name: &str,
    kep: &[&str],
) -> Result<Contact, ContactError> {
    contacts::add(&bed.store, account, fields(name, kep), Vec::new(), by()).await
}

async fn names(bed: &Bed, account: AccountId, search: &str, group: Option<&str>) -> Vec<String> {
    let all = contacts::list(&bed.store, account, search, group, None, 100).await.unwrap();
    all.iter().map(|contact| contact.fields().shown()).collect()
}

async fn import(bed: &Bed, account: AccountId, file: &str, dry: bool) -> Report {
    let report = contacts::import(&bed.store, account, file.as_bytes(), None, dry, by()).await;
    report.unwrap()
}

fn counts(report: &Report) -> [usize; 5] {
    ["added", "changed", "completed", "unchanged", "bad"].map(|word| report.count(word))
}

#[tokio::test]
async fn contacts_are_found_however_they_are_written_and_by_their_owner_alone() {
    on_both(|bed| async move {
        let (ayse, mert) = (bed.account(AYSE).await, bed.account(MERT).await);
        for (name, address) in [
            ("Şule Işık", "sule@hs01.kep.tr"),
            ("Çağrı Öz", "cagri@hs02.kep.tr"),
            ("Zeki", "zeki@hs03.kep.tr"),
            ("Ali Ilgaz", "ali@hs05.kep.tr"),
        ] {
            add(&bed, ayse, name, &[address]).await.unwrap();
        }
        let all = names(&bed, ayse, "", None).await;
        assert_eq!(all, ["Ali Ilgaz", "Çağrı Öz", "Şule Işık", "Zeki"]);
        for (search, found) in [
            ("IŞIK şule", &["Şule Işık"][..]),
            ("ilgaz", &["Ali Ilgaz"]),
            ("ÇAĞRI", &["Çağrı Öz"]),
            ("@HS03", &["Zeki"]),
            ("zeki ilgaz", &[]),
        ] {
            assert_eq!(names(&bed, ayse, search, None).await, found, "{search}");
        }
        let page = contacts::list(&bed.store, ayse, "", None, None, 3).await.unwrap();
        let last = page.last().unwrap().uid.clone();
        let rest = contacts::list(&bed.store, ayse, "", None, Some(&last), 3).await.unwrap();
        assert_eq!((page.len(), rest.len()), (3, 1));

        assert_eq!(names(&bed, mert, "", None).await, Vec::<String>::new());
        for which in [last.as_str(), "sule@hs01.kep.tr", "", "a\0b", "%"] {
            let unknown = contacts::get(&bed.store, mert, which).await;
            assert!(matches!(unknown, Err(ContactError::Unknown(_))), "{which}");
            let gone = contacts::remove(&bed.store, mert, which, by()).await;
            assert!(matches!(gone, Err(ContactError::Unknown(_))), "{which}");
            let changed = contacts::put(&bed.store, mert, which, fields("x", &[]), by()).await;
            assert!(matches!(changed, Err(ContactError::Unknown(_))), "{which}");
        }
        // The same address in another book is another contact.
        add(&bed, mert, "Şule", &["sule@hs01.kep.tr"]).await.unwrap();
        contacts::remove(&bed.store, ayse, "SULE@hs01.kep.tr", by()).await.unwrap();
        assert_eq!(names(&bed, ayse, "", None).await.len(), 3);
        assert_eq!(names(&bed, mert, "", None).await, ["Şule"]);
        let acts = audit::list(
            &bed.store,
            Wanted { subject: Some(AYSE.into()), most: 10, ..Wanted::default() },
        );
        let acts: Vec<_> = acts.await.unwrap().into_iter().map(|entry| entry.act).collect();
        assert_eq!(acts[0], "contact.remove");
        assert_eq!(acts.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn an_address_is_one_contacts() {
    on_both(|bed| async move {
        let ayse = bed.account(AYSE).await;
        add(&bed, ayse, "Ali Veli", &["ali@hs01.kep.tr", "ali@hs02.kep.tr"]).await.unwrap();
        let again = add(&bed, ayse, "Başkası", &["ALI@hs02.kep.tr"]).await;
        let Err(ContactError::Bad(Fault::Taken { by: whose, .. })) = again else {
            panic!("{again:?}")
        };
        assert_eq!(whose, "Ali Veli");
        let other = add(&bed, ayse, "Başkası", &["b@hs02.kep.tr"]).await.unwrap();
        let taken = fields("Başkası", &["ali@hs01.kep.tr"]);
        let taken = contacts::put(&bed.store, ayse, &other.uid, taken, by()).await;
        assert!(matches!(taken, Err(ContactError::Bad(Fault::Taken { .. }))));
        // An address that is given up is free.
        let less = fields("Ali Veli", &["ali@hs01.kep.tr"]);
        contacts::put(&bed.store, ayse, "ali@hs02.kep.tr", less, by()).await.unwrap();
        add(&bed, ayse, "Yeni", &["ali@hs02.kep.tr"]).await.unwrap();
        for bad in
            [fields("", &[]), fields("x", &["x@example.com.tr."]), fields("x", &["a@hs5.kep.tr"])]
        {
            let refused = contacts::add(&bed.store, ayse, bad, Vec::new(), by()).await;
            assert!(matches!(refused, Err(ContactError::Bad(_))), "{refused:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_same_time_an_address_goes_to_one() {
    on_both(|bed| async move {
        let ayse = bed.account(AYSE).await;
        let other = if bed.store.shared() { bed.another().await } else { bed.store.clone() };
        let mut tasks = Vec::new();
        for n in 0..8 {
            let store = if n % 2 == 0 { bed.store.clone() } else { other.clone() };
            let fields = fields(&format!("Kişi {n}"), &["bir@hs01.kep.tr"]);
            tasks.push(tokio::spawn(async move {
                contacts::add(&store, ayse, fields, vec!["Ortak".into()], by()).await
            }));
        }
        let mut good = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => good += 1,
                Err(error) => {
                    assert!(matches!(error, ContactError::Bad(Fault::Taken { .. })), "{error}")
                }
            }
        }
        assert_eq!(good, 1);
        assert_eq!(names(&bed, ayse, "", Some("ortak")).await.len(), 1);
    })
    .await;
}

const FILE: &str = "BEGIN:VCARD\nVERSION:3.0\nUID:1@telefon\nFN:Ayşe Demir\nN:Demir;Ayşe;;;\n\
    EMAIL;TYPE=INTERNET:ayse@hs01.kep.tr\nCATEGORIES:Müşteri,Avukat\nX-PHONE-MAKER;X-A=b:kept\nEND:VCARD\n\
    BEGIN:VCARD\nVERSION:4.0\nFN:Bozuk\nEMAIL:bozuk@hs1.kep.tr\nEND:VCARD\n\
    BEGIN:VCARD\nVERSION:4.0\nno colon\nEND:VCARD\n\
    BEGIN:VCARD\nVERSION:4.0\nFN:Mehmet Ak\nTEL:+90 312 000\nEND:VCARD\n\
    BEGIN:VCARD\nVERSION:4.0\nKIND:group\nFN:Takım\nMEMBER:1@telefon\nMEMBER:urn:uuid:none\nEND:VCARD\n";

#[tokio::test]
async fn an_import_tells_what_is_bad_and_changes_nothing_the_second_time() {
    on_both(|bed| async move {
        let ayse = bed.account(AYSE).await;
        let dry = import(&bed, ayse, FILE, true).await;
        assert_eq!(counts(&dry), [3, 0, 0, 0, 2]);
        assert_eq!(names(&bed, ayse, "", None).await, Vec::<String>::new());
        assert_eq!(contacts::groups(&bed.store, ayse).await.unwrap(), []);

        let first = import(&bed, ayse, FILE, false).await;
        assert_eq!(first.entries, dry.entries);
        let bad: Vec<_> =
            first.entries.iter().filter(|entry| matches!(entry.fate, Fate::Bad(_))).collect();
        assert_eq!(bad.iter().map(|entry| entry.line).collect::<Vec<_>>(), [10, 15]);
        let before = whole(&bed, ayse).await;
        let second = import(&bed, ayse, FILE, false).await;
        assert_eq!(counts(&second), [0, 0, 0, 3, 2]);
        assert_eq!(whole(&bed, ayse).await, before, "revisions, too");
        assert_eq!(names(&bed, ayse, "", Some("MÜŞTERİ")).await, ["Ayşe Demir"]);
        assert_eq!(names(&bed, ayse, "", Some("takım")).await, ["Ayşe Demir"]);

        // What nobody here understands outlives a change.
        let mut changed = before[0].fields();
        changed.title = "Noter".into();
        contacts::put(&bed.store, ayse, "1@telefon", changed, by()).await.unwrap();
        let kept = contacts::get(&bed.store, ayse, "1@telefon").await.unwrap();
        assert_eq!(
            (kept.card.text("X-PHONE-MAKER"), kept.card.text("TITLE")),
            ("kept".into(), "Noter".into())
        );
        assert!(kept.revision > before[0].revision);
        // The file says otherwise, and names the contact: it is what the file says again.
        assert_eq!(counts(&import(&bed, ayse, FILE, false).await), [0, 1, 0, 2, 2]);
        assert_eq!(
            contacts::get(&bed.store, ayse, "1@telefon").await.unwrap().card.text("TITLE"),
            ""
        );
    })
    .await;
}

#[tokio::test]
async fn a_large_file_is_tried_and_taken_in_units_and_the_book_knows_its_size() {
    on_both(|bed| async move {
        let ayse = bed.account(AYSE).await;
        let card = |n: usize| format!("BEGIN:VCARD\nVERSION:4.0\nFN:Kişi {n}\nEND:VCARD\n");
        let file: String = (0..450).map(card).collect();
        let members: String = (0..1500).map(|n| format!("MEMBER:k{n}@hs01.kep.tr\n")).collect();
        let group = format!(
            "BEGIN:VCARD\nVERSION:4.0\nKIND:group\nFN:Hepsi\n{}END:VCARD\n",
            &members[..20_000]
        );
        let file = file + group.rsplit_once("MEMBER").unwrap().0 + "END:VCARD\n";
        let dry = import(&bed, ayse, &file, true).await;
        assert_eq!(counts(&dry), [451, 0, 0, 0, 0]);
        assert_eq!(names(&bed, ayse, "", None).await.len(), 0);
        assert_eq!(counts(&import(&bed, ayse, &file, false).await), [451, 0, 0, 0, 0]);
        assert_eq!(counts(&import(&bed, ayse, &file, false).await), [0, 0, 0, 451, 0]);
        let uid = contacts::list(&bed.store, ayse, "449", None, None, 1).await.unwrap();
        contacts::put(&bed.store, ayse, &uid[0].uid, fields("Başka", &[]), by()).await.unwrap();
        contacts::remove(&bed.store, ayse, &uid[0].uid, by()).await.unwrap();
        let size =
            "SELECT COUNT(*) FROM contact_book WHERE contacts = (SELECT COUNT(*) FROM contact)
                    AND octets = (SELECT SUM(LENGTH(card)) FROM contact)";
        assert_eq!(bed.count(size).await, 1);

        // A book that has as much as it may: no more goes in, and what is there goes out.
        let full = "UPDATE contact_book SET octets = $1";
        bed.write(move |tx| Ok(tx.execute(full, &[(64_i64 << 20).into()])?)).await;
        let refused = add(&bed, ayse, "Çok", &[]).await;
        assert!(matches!(refused, Err(ContactError::Bad(Fault::Full))), "{refused:?}");
        let first = contacts::list(&bed.store, ayse, "", None, None, 1).await.unwrap();
        let longer = fields(&"x".repeat(200), &[]);
        let grown = contacts::put(&bed.store, ayse, &first[0].uid, longer, by()).await;
        assert!(matches!(grown, Err(ContactError::Bad(Fault::Full))), "{grown:?}");
        contacts::remove(&bed.store, ayse, &first[0].uid, by()).await.unwrap();
    })
    .await;
}

async fn whole(bed: &Bed, account: AccountId) -> Vec<Contact> {
    contacts::list(&bed.store, account, "", None, None, 100).await.unwrap()
}

#[tokio::test]
async fn a_card_of_somebody_who_is_there_completes_him() {
    on_both(|bed| async move {
        let ayse = bed.account(AYSE).await;
        let mut known = fields("Ali Veli", &["ali@hs01.kep.tr"]);
        known.note = "benim notum".into();
        contacts::add(&bed.store, ayse, known, Vec::new(), by()).await.unwrap();
        let card = "BEGIN:VCARD\nVERSION:4.0\nUID:başka\nFN:A. Veli\nEMAIL:ALI@hs01.kep.tr\n\
            TEL:+90 1\nNOTE:benim notum\nEND:VCARD\n";
        assert_eq!(counts(&import(&bed, ayse, card, false).await), [0, 0, 1, 0, 0]);
        assert_eq!(counts(&import(&bed, ayse, card, false).await), [0, 0, 0, 1, 0]);
        let all = whole(&bed, ayse).await;
        let fields = all[0].fields();
        assert_eq!(
            (all.len(), fields.name.as_str(), fields.note.as_str()),
            (1, "Ali Veli", "benim notum")
        );
        assert_eq!(fields.phones[0].number, "+90 1");

        let sheet =
            "Ad Soyad;KEP Adresi;Grup\nAli;ali@hs01.kep.tr;Dost\nYeni Kişi;;\nYeni Kişi;;\n";
        assert_eq!(counts(&import(&bed, ayse, sheet, false).await), [1, 0, 1, 1, 0]);
        assert_eq!(counts(&import(&bed, ayse, sheet, false).await), [0, 0, 0, 3, 0]);
        assert_eq!(names(&bed, ayse, "", Some("dost")).await, ["Ali Veli"]);
    })
    .await;
}

#[tokio::test]
async fn no_card_is_stored_that_could_not_be_read_again() {
    on_both(|bed| async move {
        let ayse = bed.account(AYSE).await;
        let card = |lines: &str| format!("BEGIN:VCARD\nVERSION:4.0\n{lines}END:VCARD\n");
        let many = |from: usize, to: usize| -> String {
            (from..to).map(|n| format!("X-N{n}:{n}\n")).collect()
        };
        let parameters: String = (1..32).map(|n| format!("X{n}=1;")).collect();
        // With its UID it has one property too many; with PREF one parameter.
        let whole = card(&format!("FN:Bir\n{}", many(0, 999)));
        let preferred = card(&format!("FN:İki\nTEL;{parameters}TYPE=home,pref:+905551112233\n"));
        let report = import(&bed, ayse, &(whole + &preferred), false).await;
        assert_eq!(counts(&report), [0, 0, 0, 0, 2]);
        // One alone can be stored; what it would be completed with is too much.
        let email = "FN:Üç\nEMAIL:uc@hs01.kep.tr\n";
        let (first, second) = (many(0, 600), many(600, 1200));
        let report = import(&bed, ayse, &card(&format!("{email}{first}")), false).await;
        assert_eq!(counts(&report), [1, 0, 0, 0, 0]);
        let report = import(&bed, ayse, &card(&format!("{email}{second}")), false).await;
        assert_eq!(counts(&report), [0, 0, 0, 0, 1]);
        assert_eq!(names(&bed, ayse, "", None).await, ["Üç"]);
        // What is stored and can't be read, however it came there, can be taken away.
        bed.write(|tx| Ok(tx.execute("UPDATE contact SET card = $1", &[(&b"x"[..]).into()])?))
            .await;
        contacts::remove(&bed.store, ayse, "uc@hs01.kep.tr", by()).await.unwrap();
        assert_eq!(names(&bed, ayse, "", None).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn what_is_exported_makes_the_same_book_elsewhere() {
    on_both(|bed| async move {
        let (ayse, mert) = (bed.account(AYSE).await, bed.account(MERT).await);
        import(&bed, ayse, FILE, false).await;
        let cards = contacts::vcards(&bed.store, ayse, None).await.unwrap();
        import(&bed, mert, &cards, false).await;
        assert_eq!(contacts::vcards(&bed.store, mert, None).await.unwrap(), cards);
        assert!(cards.contains("CATEGORIES:"));
        // A sheet names each contact, and what stands in no column stays.
        for separator in [Separator::Semicolon, Separator::Comma] {
            let sheet = contacts::csv(&bed.store, mert, None, separator).await.unwrap();
            let report = import(&bed, mert, &sheet, false).await;
            assert_eq!(counts(&report), [0, 0, 0, 2, 0], "{:?}", report.entries);
        }
        let sheet = contacts::csv(&bed.store, mert, None, Separator::Semicolon).await.unwrap();
        let changed = sheet.replace("Ayşe Demir", "Ayşe D.");
        assert_eq!(counts(&import(&bed, mert, &changed, false).await)[1], 1);
        let kept = contacts::get(&bed.store, mert, "1@telefon").await.unwrap();
        assert_eq!(
            (kept.card.text("FN"), kept.card.text("X-PHONE-MAKER")),
            ("Ayşe D.".into(), "kept".into())
        );
        let group = contacts::vcards(&bed.store, mert, Some("avukat")).await.unwrap();
        assert_eq!(group.matches("BEGIN:VCARD").count(), 1);
        let none = contacts::vcards(&bed.store, mert, Some("yok")).await;
        assert!(matches!(none, Err(ContactError::NoGroup(_))));
    })
    .await;
}

#[tokio::test]
async fn files_that_are_none_or_too_much_are_refused_whole() {
    let bed = Bed::sqlite().await;
    let ayse = bed.account(AYSE).await;
    let try_in = async |octets: &[u8]| {
        contacts::import(&bed.store, ayse, octets, None, false, by())
            .await
            .map(|report| counts(&report))
    };
    assert!(matches!(try_in(b"").await, Err(ContactError::Form)));
    assert!(matches!(try_in(b"\0\0\0").await, Err(ContactError::Form)));
    let large = vec![b'x'; contacts::FILE_MAX + 1];
    assert!(matches!(try_in(&large).await, Err(ContactError::FileTooLarge)));
    let many = "BEGIN:VCARD\nEND:VCARD\n".repeat(contacts::ENTRIES_MAX + 1);
    assert!(matches!(try_in(many.as_bytes()).await, Err(ContactError::FileTooLarge)));
    let groups: Vec<_> = (0..=GROUPS_MAX).map(|n| format!("g{n}")).collect();
    let greedy = format!("BEGIN:VCARD\nFN:x\nCATEGORIES:{}\nEND:VCARD\n", groups.join(","));
    assert_eq!(try_in(greedy.as_bytes()).await.unwrap(), [0, 0, 0, 0, 1]);
    assert_eq!(contacts::groups(&bed.store, ayse).await.unwrap(), []);
}

#[tokio::test]
async fn groups_have_names_and_members() {
    on_both(|bed| async move {
        let (ayse, mert) = (bed.account(AYSE).await, bed.account(MERT).await);
        let ali = add(&bed, ayse, "Ali", &["ali@hs01.kep.tr"]).await.unwrap();
        contacts::add_group(&bed.store, ayse, " Müşteri ", by()).await.unwrap();
        let same = contacts::add_group(&bed.store, ayse, "MÜŞTERİ", by()).await;
        assert!(matches!(same, Err(ContactError::GroupExists(name)) if name == "Müşteri"));
        for bad in ["", " ", "a\nb", "\u{200b}", &"a".repeat(65)] {
            let refused = contacts::add_group(&bed.store, ayse, bad, by()).await;
            assert!(matches!(refused, Err(ContactError::GroupName)), "{bad:?}");
        }
        let join = async |group: &str, which: &str| {
            contacts::join(&bed.store, ayse, group, which, by()).await
        };
        assert!(join("müşteri", &ali.uid).await.unwrap());
        assert!(!join("müşteri", "ali@hs01.kep.tr").await.unwrap());
        assert!(matches!(join("yok", &ali.uid).await, Err(ContactError::NoGroup(_))));
        assert!(matches!(join("müşteri", "yok").await, Err(ContactError::Unknown(_))));
        let foreign = contacts::join(&bed.store, mert, "müşteri", &ali.uid, by()).await;
        assert!(matches!(foreign, Err(ContactError::NoGroup(_))));
        contacts::rename_group(&bed.store, ayse, "müşteri", "Müvekkil", by()).await.unwrap();
        assert_eq!(names(&bed, ayse, "", Some("müvekkil")).await, ["Ali"]);
        assert!(contacts::leave(&bed.store, ayse, "müvekkil", &ali.uid, by()).await.unwrap());
        join("müvekkil", &ali.uid).await.unwrap();
        contacts::remove_group(&bed.store, ayse, "müvekkil", by()).await.unwrap();
        let kept = contacts::get(&bed.store, ayse, &ali.uid).await.unwrap();
        assert_eq!(kept.groups, Vec::<String>::new());
    })
    .await;
}

//! Labels: names, keys, colours, and the messages that bear them.

use super::bed::{self, Bed};
use super::contents::content;
use super::{NOW, on_both};
use kep::registry::labels::{self, Colour, LABELS_MAX, Label, LabelError};
use kep::store::labels::LabelRow;
use kep::store::mail::{self, Kind, Role};
use kep::store::{Lane, Tx};
use kep::wire::AccountId;
use kep::wire::imap::Keywords;

async fn lay_in(bed: &Bed, account: AccountId, role: Role, keywords: &'static str) {
    let content = content(&bed.store, &[b"mail"]).await;
    let put = bed.store.blobs.put(b"x".to_vec()).unwrap();
    let mut message = bed::message(&put, Kind::Plain, None);
    message.keywords = keywords.into();
    bed.write(move |tx| {
        let mailbox = mail::of_role(tx, account, role)?;
        Ok(mail::lay_in(tx, mailbox, content, &message)?)
    })
    .await;
}

async fn create(bed: &Bed, account: AccountId, name: &str) -> Result<Label, LabelError> {
    labels::create(&bed.store, account, name, None, NOW).await
}

async fn told(bed: &Bed, account: AccountId) -> Vec<String> {
    let all = labels::list(&bed.store, account).await.unwrap();
    let one = |label: Label| {
        let colour = label.colour.map(|colour| colour.to_string()).unwrap_or_default();
        format!(
            "{}={}{colour}{}",
            label.key.as_str(),
            label.name,
            if label.named { "" } else { "?" }
        )
    };
    all.into_iter().map(one).collect()
}

#[tokio::test]
async fn a_label_has_the_key_thunderbird_makes_and_a_name_of_its_own() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let sales = create(&bed, account, "  Satış ").await.unwrap();
        assert_eq!((sales.key.as_str(), sales.name.as_str()), ("sat=c4=b1=c5=9f", "Satış"));
        for same in ["satış", "SATIŞ", "Satış", "satiş", "Satıs\u{327}"] {
            let again = create(&bed, account, same).await;
            let taken = matches!(&again, Err(LabelError::Exists(name)) if name == "Satış");
            assert!(taken, "{same}: {again:?}");
        }
        let green = Colour::parse("#2e7d32");
        let changed = labels::recolour(&bed.store, account, "SATIŞ", green, NOW).await.unwrap();
        assert_eq!(changed.colour.unwrap().as_str(), "#2E7D32");
        let renamed =
            labels::rename(&bed.store, account, "sat=c4=b1=c5=9f", "Pazarlama", NOW).await;
        assert_eq!(renamed.unwrap().key, sales.key);
        // The old name is free again, and its key is taken.
        let second = create(&bed, account, "Satış").await.unwrap();
        assert_eq!(second.key.as_str(), "sat=c4=b1=c5=9f_1");
        let other = bed.account("mert@hs05.kep.tr").await;
        assert_eq!(told(&bed, other).await, Vec::<String>::new());
        assert!(matches!(
            labels::delete(&bed.store, other, "Satış", NOW).await,
            Err(LabelError::Unknown(_))
        ));
        let all = told(&bed, account).await;
        assert!(all.contains(&"sat=c4=b1=c5=9f=Pazarlama#2E7D32".to_owned()), "{all:?}");
        let taken = labels::rename(&bed.store, account, "Satış", "PAZARLAMA", NOW).await;
        assert!(matches!(taken, Err(LabelError::Exists(_))));
        // Only its case: that is no other label's.
        labels::rename(&bed.store, account, "Satış", "SATIŞ", NOW).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn names_that_are_none_are_refused() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let long = "ş".repeat(41);
        for bad in ["", "  ", "a/b", "a\u{7}b", "\u{200b}", &long, &"😀".repeat(30)] {
            let refused = create(&bed, account, bad).await;
            assert!(matches!(refused, Err(LabelError::BadName)), "{bad:?}: {refused:?}");
        }
        assert!(create(&bed, account, &"ş".repeat(40)).await.is_ok());
        let server = create(&bed, account, "$KepRead").await;
        assert!(matches!(server, Err(LabelError::Reserved(_))));
        for bad in ["", "red", "#12345", "#1234567", "#12345g", "123456"] {
            assert!(Colour::parse(bad).is_none(), "{bad}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_program_sets_is_a_label_until_it_is_named() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        lay_in(&bed, account, Role::Inbox, "acele $Forwarded $KepRead sat=c4=b1=c5=9f").await;
        lay_in(&bed, account, Role::Sent, "ACELE NonJunk $label1").await;
        let all = told(&bed, account).await;
        assert_eq!(all, ["acele=acele?", "$label1=Önemli?", "sat=c4=b1=c5=9f=satış?"]);
        assert!(matches!(create(&bed, account, "Acele").await, Err(LabelError::Exists(_))));
        labels::rename(&bed.store, account, "acele", "Acele", NOW).await.unwrap();
        labels::rename(&bed.store, account, "satış", "Satış", NOW).await.unwrap();
        let all = told(&bed, account).await;
        assert_eq!(all, ["acele=Acele", "$label1=Önemli?", "sat=c4=b1=c5=9f=Satış"]);
    })
    .await;
}

#[tokio::test]
async fn a_label_that_is_deleted_is_taken_off_its_messages() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        create(&bed, account, "a_b").await.unwrap();
        lay_in(&bed, account, Role::Inbox, "x A_B $KepRead").await;
        lay_in(&bed, account, Role::Inbox, "axb a_bc").await;
        lay_in(&bed, account, Role::Archive, "a_b").await;
        let before = bed.count("SELECT CAST(SUM(mod_seq) AS BIGINT) FROM mailbox").await;
        labels::delete(&bed.store, account, "A_B", NOW).await.unwrap();
        let left = "SELECT COUNT(*) FROM message WHERE keywords IN ('x $KepRead', 'axb a_bc', '')";
        assert_eq!(bed.count(left).await, 3);
        assert_eq!(bed.count("SELECT CAST(SUM(mod_seq) AS BIGINT) FROM mailbox").await, before + 2);
        assert_eq!(told(&bed, account).await, ["a_bc=a_bc?", "axb=axb?", "x=x?"]);
        assert!(matches!(
            labels::delete(&bed.store, account, "A_B", NOW).await,
            Err(LabelError::Unknown(_))
        ));
    })
    .await;
}

#[tokio::test]
async fn an_account_has_a_thousand_labels_and_no_more() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        bed.write(move |tx| {
            for n in 0..LABELS_MAX {
                let key = format!("etiket-{n}");
                let (name, colour) = (key.clone(), String::new());
                let row = LabelRow { name, key, colour, named: true };
                kep::store::labels::put(tx, account, &row)?;
            }
            Ok(())
        })
        .await;
        assert!(matches!(create(&bed, account, "Bir").await, Err(LabelError::TooMany)));
        labels::delete(&bed.store, account, "etiket-7", NOW).await.unwrap();
        create(&bed, account, "Bir").await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_label_made_by_many_at_a_time_is_made_once() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let tasks: Vec<_> = ["İş", "iş", "IŞ", "ış"]
            .into_iter()
            .map(|name| {
                let store = bed.store.clone();
                tokio::spawn(async move { labels::create(&store, account, name, None, NOW).await })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => made += 1,
                Err(LabelError::Exists(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(made, 1);
    })
    .await;
}

async fn learn(bed: &Bed, account: AccountId, words: &'static str) {
    let words = Keywords::from_stored(words);
    let work = move |tx: &mut Tx<'_>| labels::learn(tx, account, &words, NOW);
    bed.store.write::<_, LabelError, _>(Lane::Client, work).await.unwrap();
}

#[tokio::test]
async fn a_keyword_that_nobody_named_has_an_entry_from_its_first_use_on() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        learn(&bed, account, "SAT=C4=B1=C5=9F $Forwarded $KepRead NonJunk $label1").await;
        let found = ["$label1=Önemli?", "sat=c4=b1=c5=9f=satış?"];
        assert_eq!(told(&bed, account).await, found, "no message bears them any more");
        learn(&bed, account, "sat=c4=b1=c5=9f").await;
        assert_eq!(told(&bed, account).await, found, "once");
        // The older key of the same name: the names are told apart, the keys are what they are.
        learn(&bed, account, "sat&atebxw-").await;
        let both = ["$label1=Önemli?", "sat=c4=b1=c5=9f=satış?", "sat&atebxw-=satış (2)?"];
        assert_eq!(told(&bed, account).await, both);
        // Somebody names one, and takes the other away.
        labels::rename(&bed.store, account, "sat&atebxw-", "Pazarlama", NOW).await.unwrap();
        labels::delete(&bed.store, account, "satış", NOW).await.unwrap();
        assert_eq!(told(&bed, account).await, ["$label1=Önemli?", "sat&atebxw-=Pazarlama"]);
        learn(&bed, account, "sat=c4=b1=c5=9f SAT&ATEBXW-").await;
        let again = ["$label1=Önemli?", "sat&atebxw-=Pazarlama", "sat=c4=b1=c5=9f=satış?"];
        assert_eq!(told(&bed, account).await, again);
        let other = bed.account("mert@hs05.kep.tr").await;
        assert_eq!(told(&bed, other).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn what_nobody_named_gives_way_to_what_somebody_names() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let many: String = (0..LABELS_MAX + 7).map(|n| format!("k{n} ")).collect();
        learn(&bed, account, many.leak()).await;
        let kept = "SELECT COUNT(*) FROM label";
        assert_eq!(bed.count(kept).await, LABELS_MAX as i64, "and no more");
        create(&bed, account, "Bir").await.unwrap();
        create(&bed, account, "İki").await.unwrap();
        assert_eq!(bed.count(kept).await, LABELS_MAX as i64);
        labels::rename(&bed.store, account, "k1", "Üç", NOW).await.unwrap();
        let named = "SELECT COUNT(*) FROM label WHERE named = 1";
        assert_eq!(bed.count(named).await, 3);
        bed.write(|tx| Ok(tx.execute("UPDATE label SET named = 1", &[])?)).await;
        assert!(matches!(create(&bed, account, "Dört").await, Err(LabelError::TooMany)));
        learn(&bed, account, "k9999").await;
        assert_eq!(bed.count(kept).await, LABELS_MAX as i64);
    })
    .await;
}

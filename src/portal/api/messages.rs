//! Messages: listed, opened, read, marked and moved. A message is named by where it stands
//! (`mailbox-uid`), so that one which was moved has another key.

mod act;
mod content;
mod run;
mod shown;

pub use act::{changing, find};
pub use shown::Message;

use super::endpoint::{Endpoint, Tag, Verb, params};
use super::kinds::{Cursor, LabelKey, Limit, MailboxKey, MessageKey, PartNumber, Yes};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::operators::Act;

pub fn operations() -> Vec<Endpoint> {
    [looks(), acts(), moves()].into_iter().flatten().collect()
}

params! {
    /// Which messages are listed.
    Listing {
        query mailbox: MailboxKey = "inbox",
            "A mailbox: its part or its number. Without one: of starred messages all, of a label all, else the inbox.";
        query label: LabelKey = "ihale", "Those with this label only.";
        query starred: Yes = true, "Those with a star only, or those without.";
        query unseen: Yes = true, "Those that were not seen only, or those that were.";
        query cursor: Cursor = "0000000000000011", "What `next` of the page before said.";
        query limit: Limit = 50, "How many at most.";
    }
}

params! {
    /// One message.
    OneMessage {
        path message: MessageKey = "3-17", "The message's key.";
    }
}

params! {
    /// One part of a message.
    OnePart {
        path message: MessageKey = "3-17", "The message's key.";
        path part: PartNumber = "2", "The part's number, as `listParts` has it.";
    }
}

fn get(path: &'static str, id: &'static str) -> Endpoint {
    Endpoint::new(Verb::Get, path, id, Tag::Messages)
        .needs(Scope::MailRead)
        .may_say([Problem::MessageUnknown])
}

fn post(path: &'static str, id: &'static str) -> Endpoint {
    Endpoint::new(Verb::Post, path, id, Tag::Messages)
        .needs(Scope::MailWrite)
        .may_say([Problem::MessageUnknown])
}

fn looks() -> Vec<Endpoint> {
    let unopened = || [Problem::MessageUnknown, Problem::MessageUnopened];
    let within = || [Problem::MessageUnknown, Problem::MessageUnopened, Problem::NoDispatch];
    vec![
        get("/messages", "listMessages")
            .says("İletileri yeniden eskiye listeler.", "Lists messages, the newest first.")
            .may_say([Problem::MailboxUnknown, Problem::LabelUnknown])
            .runs(run::list),
        get("/messages/{message}", "showMessage")
            .says("Bir iletiyi gösterir; açmaz.", "Shows a message, without opening it.")
            .reads(act::show),
        get("/messages/{message}/content", "downloadMessage")
            .says(
                "İletiyi olduğu gibi indirir: açılmış bir KEP iletisini zarfıyla.",
                "Downloads a message as it is: an opened dispatch with its envelope.",
            )
            .may_say(unopened())
            .runs(run::content),
        get("/messages/{message}/original", "downloadOriginal")
            .says(
                "KEP iletisinin içindeki özgün iletiyi indirir.",
                "Downloads the original that a dispatch encloses, octet for octet.",
            )
            .may_say(within())
            .runs(run::original),
        get("/messages/{message}/parts", "listParts")
            .says(
                "İletinin parçalarını ve eklerini listeler.",
                "Lists the parts of a message, its attachments among them.",
            )
            .may_say(unopened())
            .runs(run::parts),
        get("/messages/{message}/parts/{part}", "downloadPart")
            .says("Bir parçayı çözülmüş olarak indirir.", "Downloads a part, decoded.")
            .may_say([Problem::MessageUnknown, Problem::MessageUnopened, Problem::PartUnknown])
            .runs(run::part),
        get("/messages/{message}/text", "readMessage")
            .says("İletinin metnini verir.", "Gives the text of a message.")
            .may_say(unopened())
            .runs(run::text),
        get("/messages/{message}/timeline", "showTimeline")
            .says(
                "İletinin başına gelenleri delilleriyle gösterir.",
                "Shows what became of a message, with the evidence of it.",
            )
            .needs(Scope::EvidenceRead)
            .reads(act::timeline),
    ]
}

fn acts() -> Vec<Endpoint> {
    vec![
        post("/messages/{message}/open", "openMessage")
            .says(
                "Açılmamış iletiyi açar: okundu delili oluşur. Açık ileti için bir şey yapmaz.",
                "Opens an unopened message: evidence that it was read is made of that. Nothing is done to one that is open.",
            )
            .needs(Scope::MailOpen)
            .named()
            .may_say([Problem::MessageUnknown, Problem::NothingToOpen])
            .writes(act::open),
        Endpoint::new(Verb::Patch, "/messages/{message}", "changeMessage", Tag::Messages)
            .says(
                "İletiyi işaretler: görüldü, önemli, etiketler.",
                "Marks a message: seen, starred, labels.",
            )
            .needs(Scope::MailWrite)
            .guarded()
            .may_say([Problem::MessageUnknown, Problem::LabelUnknown, Problem::KeywordsMany])
            .writes(act::change),
    ]
}

fn moves() -> Vec<Endpoint> {
    let takes_none = || Problem::MailboxTakesNone("{}".into());
    vec![
        post("/messages/{message}/move", "moveMessage")
            .says("İletiyi başka bir kutuya taşır.", "Moves a message to another mailbox.")
            .named()
            .may_say([Problem::MessageUnknown, Problem::MailboxUnknown, takes_none()])
            .writes(act::move_to),
        post("/messages/{message}/archive", "archiveMessage")
            .says(
                "İletiyi arşive taşır: gelen ya da giden.",
                "Moves a message into the archive, of what came or of what went.",
            )
            .named()
            .writes(act::archive),
        post("/messages/{message}/trash", "trashMessage")
            .says("İletiyi Çöp Kutusu'na taşır.", "Moves a message to the trash.")
            .acts(Act::Delete)
            .named()
            .writes(act::trash),
        post("/messages/{message}/restore", "restoreMessage")
            .says(
                "İletiyi Çöp Kutusu'ndan geldiği yere geri koyar.",
                "Puts a message from the trash back to where it was.",
            )
            .named()
            .may_say([Problem::MessageUnknown, Problem::NotTrash])
            .writes(act::restore),
        Endpoint::new(Verb::Delete, "/messages/{message}", "deleteMessage", Tag::Messages)
            .says(
                "Çöp Kutusu'ndaki iletiyi kalıcı olarak siler; delilleri kalır.",
                "Removes a message in the trash for good; evidence of it stays.",
            )
            .needs(Scope::MailWrite)
            .acts(Act::Delete)
            .may_say([Problem::MessageUnknown, Problem::NotTrash, Problem::MessageUnopened])
            .writes(act::delete),
    ]
}

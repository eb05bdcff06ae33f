//! Drafts: mails in `Taslaklar`, as any program may write them. They are messages; here they are laid in
//! and replaced.

mod run;

use super::endpoint::{Endpoint, Tag, Verb};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::operators::Act;

pub fn operations() -> Vec<Endpoint> {
    let hindrances = || {
        [
            Problem::AccountReadOnly("{}".into()),
            Problem::OverQuota,
            Problem::NotKeepable("{}".into()),
        ]
    };
    vec![
        Endpoint::new(Verb::Post, "/drafts", "createDraft", Tag::Drafts)
            .says("Taslaklar'a bir ileti koyar.", "Lays a mail into the drafts.")
            .needs(Scope::MailWrite)
            .acts(Act::Draft)
            .named()
            .may_say(hindrances())
            .runs(run::create),
        Endpoint::new(Verb::Put, "/drafts/{message}", "replaceDraft", Tag::Drafts)
            .says(
                "Taslağın yerine yenisini koyar; anahtarı değişir.",
                "Puts another mail in the place of a draft; its key is another one then.",
            )
            .needs(Scope::MailWrite)
            .acts(Act::Draft)
            .guarded()
            .may_say(hindrances().into_iter().chain([Problem::MessageUnknown, Problem::NotADraft]))
            .runs(run::replace),
        Endpoint::new(Verb::Delete, "/drafts/{message}", "discardDraft", Tag::Drafts)
            .says("Taslağı kalıcı olarak siler.", "Removes a draft for good.")
            .needs(Scope::MailWrite)
            .acts(Act::Delete)
            .may_say([Problem::MessageUnknown, Problem::NotADraft])
            .writes(run::discard),
    ]
}

//! Which addresses can be given to somebody of a name.

use super::run;
use crate::portal::api::endpoint::{Endpoint, Tag, Verb, params};
use crate::portal::api::kinds::{Limit, Phrase};
use crate::portal::api::problem::Problem;
use crate::registry::addresses::Called;
use crate::registry::api_tokens::Scope;
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/staff/address-proposals", "proposeAddresses", Tag::Staff)
            .says(
                "Bir ada verilebilecek adresleri, en uygunu başta olmak üzere önerir.",
                "Proposes addresses that are free for somebody of that name, the nicest first.",
            )
            .needs(Scope::StaffAccounts)
            .may_say([Problem::NotStaff, Problem::StaffRole("{}".into())])
            .runs(run::propose),
    ]
}

params! {
    NameGiven {
        query given_names: Phrase = "Ali", "Of a person.";
        query surname: Phrase = "Veli", "Of a person.";
        query title: Phrase = "Örnek A.Ş.", "Of a company or a public body; the names count for nothing then.";
        query limit: Limit = 50, "How many at most.";
    }
}

#[derive(Serialize, ToSchema)]
pub struct FreeAddresses {
    /// None: no address can be made of that name.
    #[schema(example = json!(["ali.veli@hs05.kep.tr", "veli.ali@hs05.kep.tr"]))]
    pub addresses: Vec<String>,
}

impl NameGiven {
    pub fn called(&self) -> Called {
        let text = |phrase: &Option<Phrase>| phrase.as_ref().map(|one| one.0.clone());
        match text(&self.title) {
            Some(title) => Called::Institution { title },
            None => Called::Person {
                given_names: text(&self.given_names).unwrap_or_default(),
                surname: text(&self.surname).unwrap_or_default(),
            },
        }
    }
}

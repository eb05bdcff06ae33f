//! Labels (etiket): the account's keywords with their names and colours.

mod run;

use super::call::{Answered, Call};
use super::endpoint::{Created, Endpoint, Json, NoWords, Tag, Verb, params};
use super::filing;
use super::kinds::{ColourText, LabelKey, LabelName};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::labels::{self, LabelError};
use crate::store::Tx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let name = || String::from("{}");
    vec![
        Endpoint::new(Verb::Get, "/labels", "listLabels", Tag::Labels)
            .says("Etiketleri listeler.", "Lists the labels.")
            .needs(Scope::MailRead)
            .reads(list),
        Endpoint::new(Verb::Post, "/labels", "createLabel", Tag::Labels)
            .says("Etiket oluşturur.", "Makes a label.")
            .needs(Scope::MailWrite)
            .named()
            .may_say([
                Problem::LabelExists(name()),
                Problem::LabelBadName,
                Problem::LabelsMany,
                Problem::AccountReadOnly(name()),
            ])
            .writes(create),
        Endpoint::new(Verb::Get, "/labels/{label}", "showLabel", Tag::Labels)
            .says("Bir etiketi gösterir.", "Shows a label.")
            .needs(Scope::MailRead)
            .may_say([Problem::LabelUnknown])
            .reads(show),
        Endpoint::new(Verb::Patch, "/labels/{label}", "changeLabel", Tag::Labels)
            .says(
                "Etiketin adını ya da rengini değiştirir.",
                "Gives a label another name or colour.",
            )
            .needs(Scope::MailWrite)
            .may_say([
                Problem::LabelUnknown,
                Problem::LabelExists(name()),
                Problem::LabelBadName,
                Problem::LabelsMany,
                Problem::AccountReadOnly(name()),
            ])
            .writes(change),
        Endpoint::new(Verb::Delete, "/labels/{label}", "deleteLabel", Tag::Labels)
            .says(
                "Etiketi bütün iletilerden çıkarır ve siler.",
                "Takes a label off all messages, and away.",
            )
            .needs(Scope::MailWrite)
            .may_say([Problem::LabelUnknown, Problem::AccountReadOnly(name())])
            .runs(run::delete),
    ]
}

params! {
    OneLabel {
        path label: LabelKey = "ihale", "The label's key.";
    }
}

#[derive(Serialize, ToSchema)]
struct Label {
    /// The IMAP keyword that messages bear.
    #[schema(example = "s=c3=b6zle=c5=9fmeler")]
    key: String,
    #[schema(example = "Sözleşmeler")]
    name: String,
    #[schema(example = "#2F6FDE")]
    colour: Option<String>,
    /// Whether somebody named it; if not, it is there because messages bear it.
    #[schema(example = true)]
    named: bool,
}

#[derive(Serialize, ToSchema)]
struct Labels {
    labels: Vec<Label>,
}

/// A label to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLabel {
    #[schema(inline)]
    name: LabelName,
    #[schema(inline)]
    colour: Option<ColourText>,
}

/// What becomes of a label; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LabelChange {
    #[schema(inline)]
    name: Option<LabelName>,
    #[schema(inline)]
    colour: Option<ColourText>,
    /// Takes the colour away.
    #[serde(default)]
    colourless: bool,
}

fn list(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Json<Labels>> {
    let all = labels::all(tx, call.account_id()?)?;
    Ok(Json(Labels { labels: all.iter().map(Label::of).collect() }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneLabel) -> Answered<Json<Label>> {
    Ok(Json(Label::of(&known(tx, call, &ask.label)?)))
}

fn create(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    new: &Json<NewLabel>,
) -> Answered<Created<Label>> {
    call.may_add_in(tx)?;
    let (name, colour) = (&new.0.name.0, new.0.colour.clone().map(|colour| colour.0));
    let made = labels::create_in(tx, call.account_id()?, name, colour, call.now)?;
    let at = format!("/labels/{}", encoded(made.key.as_str()));
    filing::done(tx, call, &filing::label("create", made.key.as_str()))?;
    Ok(Created { value: Label::of(&made), at })
}

fn change(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneLabel,
    new: &Json<LabelChange>,
) -> Answered<Json<Label>> {
    call.may_add_in(tx)?;
    let old = known(tx, call, &ask.label)?;
    let new = &new.0;
    let colour = match (new.colourless, &new.colour) {
        (true, _) => Some(None),
        (false, Some(colour)) => Some(Some(colour.0.clone())),
        (false, None) => None,
    };
    let name = new.name.as_ref().map(|name| name.0.as_str());
    let changed = labels::alter(tx, call.account_id()?, &old.key, name, colour, call.now)?;
    filing::done(tx, call, &filing::label("change", changed.key.as_str()))?;
    Ok(Json(Label::of(&changed)))
}

/// By its key alone: a name may be another one's key.
fn known(tx: &mut Tx<'_>, call: &Call, key: &LabelKey) -> Answered<labels::Label> {
    let wanted = key.keyword().ok_or(Problem::LabelUnknown)?;
    let is = |label: &labels::Label| label.key.as_str().eq_ignore_ascii_case(wanted.as_str());
    labels::all(tx, call.account_id()?)?.into_iter().find(is).ok_or(Problem::LabelUnknown)
}

/// A word of a path.
fn encoded(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~' | b'=');
    let one = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    word.bytes().map(one).collect()
}

impl Label {
    fn of(label: &labels::Label) -> Self {
        Self {
            key: label.key.as_str().to_owned(),
            name: label.name.clone(),
            colour: label.colour.as_ref().map(ToString::to_string),
            named: label.named,
        }
    }
}

impl From<LabelError> for Problem {
    fn from(error: LabelError) -> Self {
        match error {
            LabelError::Registry(error) => error.into(),
            LabelError::Exists(name) => Self::LabelExists(name),
            LabelError::Unknown(_) => Self::LabelUnknown,
            LabelError::BadName | LabelError::Reserved(_) => Self::LabelBadName,
            LabelError::TooMany => Self::LabelsMany,
        }
    }
}

//! What a person set for himself, the holder or an operator: the same in every browser. It is his alone: no token
//! has any, and nobody sees another's.

mod words;

use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, NoWords, Tag, Verb};
use super::problem::Problem;
use crate::registry::declared::Kind;
use crate::registry::settings::{self, SettingError, Settings};
use crate::store::Tx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use words::{
    AskingWord, ClockWord, ColumnWords, DensityWord, FormatWord, LanguageWord, PageSizeNumber,
    SignatureLines, ThemeWord, UndoNumber,
};

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/settings", "showSettings", Tag::Account)
            .says("Kullanıcının kendi ayarlarını gösterir.", "Shows the user's own settings.")
            .personal()
            .reads(show),
        Endpoint::new(Verb::Patch, "/settings", "changeSettings", Tag::Account)
            .says(
                "Kullanıcının kendi ayarlarını değiştirir; adı geçmeyen ayar olduğu gibi kalır.",
                "Changes the user's own settings; what is not named stays.",
            )
            .personal()
            .may_say([Problem::AccountReadOnly(String::from("{}"))])
            .writes(change),
    ]
}

/// What the user set, or what holds until he does.
#[derive(Serialize, ToSchema)]
struct UserSettings {
    #[schema(example = 50)]
    page_size: u16,
    #[schema(example = "normal")]
    density: String,
    #[schema(example = "system")]
    theme: String,
    #[schema(example = "tr")]
    language: String,
    #[schema(example = "24h")]
    clock: String,
    #[schema(example = true)]
    shortcuts: bool,
    /// Seconds in which sending can be taken back.
    #[schema(example = 10)]
    undo: u16,
    #[schema(example = "always")]
    ask_before_opening: String,
    #[schema(example = "html")]
    format: String,
    #[schema(example = "Ali Veli")]
    signature_text: String,
    #[schema(example = json!(["flag", "who", "subject", "date"]))]
    columns: Vec<String>,
}

/// What is to be otherwise; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    #[schema(inline)]
    page_size: Option<PageSizeNumber>,
    #[schema(inline)]
    density: Option<DensityWord>,
    #[schema(inline)]
    theme: Option<ThemeWord>,
    #[schema(inline)]
    language: Option<LanguageWord>,
    #[schema(inline)]
    clock: Option<ClockWord>,
    shortcuts: Option<bool>,
    #[schema(inline)]
    undo: Option<UndoNumber>,
    #[schema(inline)]
    ask_before_opening: Option<AskingWord>,
    #[schema(inline)]
    format: Option<FormatWord>,
    #[schema(inline)]
    signature_text: Option<SignatureLines>,
    #[schema(inline)]
    columns: Option<ColumnWords>,
}

fn show(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Json<UserSettings>> {
    Ok(Json(UserSettings::of(&settings::of(tx, call.session()?.session.owner)?)))
}

fn change(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    new: &Json<SettingsChange>,
) -> Answered<Json<UserSettings>> {
    call.may_add_in(tx)?;
    let owner = call.session()?.session.owner;
    let changed = settings::change(tx, &call.by()?, owner, &new.0.written())?;
    Ok(Json(UserSettings::of(&changed)))
}

impl SettingsChange {
    fn written(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("page-size", self.page_size.as_ref().map(|new| new.0.write())),
            ("density", self.density.as_ref().map(|new| new.0.write())),
            ("theme", self.theme.as_ref().map(|new| new.0.write())),
            ("language", self.language.as_ref().map(|new| new.0.write())),
            ("clock", self.clock.as_ref().map(|new| new.0.write())),
            ("shortcuts", self.shortcuts.map(|new| new.write())),
            ("undo", self.undo.as_ref().map(|new| new.0.write())),
            ("ask-before-opening", self.ask_before_opening.as_ref().map(|new| new.0.write())),
            ("format", self.format.as_ref().map(|new| new.0.write())),
            ("signature-text", self.signature_text.as_ref().map(|new| new.0.write())),
            ("columns", self.columns.as_ref().map(|new| new.0.write())),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

impl UserSettings {
    fn of(settings: &Settings) -> Self {
        Self {
            page_size: settings.page_size.0,
            density: settings.density.write(),
            theme: settings.theme.write(),
            language: settings.language.word().to_owned(),
            clock: settings.clock.write(),
            shortcuts: settings.shortcuts,
            undo: settings.undo.0,
            ask_before_opening: settings.asking.write(),
            format: settings.format.write(),
            signature_text: settings.signature_text.0.clone(),
            columns: settings.columns.0.iter().map(Kind::write).collect(),
        }
    }
}

impl From<SettingError> for Problem {
    fn from(error: SettingError) -> Self {
        match error {
            SettingError::Registry(error) => error.into(),
            SettingError::Store(error) => error.into(),
            // Words of a body are good before they come here.
            other => Self::BadBody(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::settings::DECLARED;

    #[test]
    fn each_setting_is_shown_and_can_be_changed() {
        let shown = serde_json::to_value(UserSettings::of(&Settings::default())).unwrap();
        let field = |key: &str| key.replace('-', "_");
        let declared: Vec<_> = DECLARED.iter().map(|one| field(one.key)).collect();
        let shown_keys: Vec<_> = shown.as_object().unwrap().keys().cloned().collect();
        for key in &declared {
            assert!(shown_keys.contains(key), "{key} is not shown");
        }
        assert_eq!(declared.len(), shown_keys.len());
        // What is shown can be sent back as it is.
        let change: SettingsChange = serde_json::from_value(shown).unwrap();
        let written = change.written();
        assert_eq!(written.len(), DECLARED.len());
        for (key, value) in written {
            assert_eq!(Settings::default().written(key), Some(value), "{key}");
        }
    }
}

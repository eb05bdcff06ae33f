//! Legal persons: companies (tüzel) and public bodies (kamu).

use super::{Detsis, Fault, Faults, HolderForm, Line, Mersis, TradeRegistryNumber, Vkn};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Company {
    title: Line,
    vkn: Vkn,
    registered: Registered,
    /// Ana faaliyet alanı.
    activity: Option<Line>,
}

/// Where a company is registered; the MERSİS number is this company's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Registered {
    Mersis(Mersis),
    Trade(TradeRegistry),
    Both(Mersis, TradeRegistry),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TradeRegistry {
    /// Ticaret sicil müdürlüğü.
    pub office: Line,
    pub number: TradeRegistryNumber,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicBody {
    title: Line,
    detsis: Detsis,
    vkn: Option<Vkn>,
    activity: Option<Line>,
}

impl Company {
    pub(super) fn parse(form: &HolderForm, faults: &mut Faults) -> Option<Self> {
        let title = faults.take("title", title(form));
        let vkn = faults.take("vkn", Vkn::parse(form.vkn.as_deref().unwrap_or_default()));
        let registered = registered(form, vkn.as_ref(), faults);
        let activity = faults.optional("activity", &form.activity, Line::parse);
        Some(Self { title: title?, vkn: vkn?, registered: registered?, activity: activity? })
    }

    pub(super) fn form(&self) -> HolderForm {
        let (mersis, trade) = (self.registered.mersis(), self.registered.trade());
        HolderForm {
            title: Some(self.title.to_string()),
            vkn: Some(self.vkn.to_string()),
            mersis: mersis.map(ToString::to_string),
            trade_registry: trade.map(|trade| trade.number.to_string()),
            registry_office: trade.map(|trade| trade.office.to_string()),
            activity: self.activity.as_ref().map(ToString::to_string),
            ..HolderForm::default()
        }
    }

    pub fn title(&self) -> &Line {
        &self.title
    }

    pub fn vkn(&self) -> &Vkn {
        &self.vkn
    }

    pub fn registered(&self) -> &Registered {
        &self.registered
    }

    pub fn activity(&self) -> Option<&Line> {
        self.activity.as_ref()
    }
}

impl Registered {
    pub fn mersis(&self) -> Option<&Mersis> {
        match self {
            Self::Mersis(mersis) | Self::Both(mersis, _) => Some(mersis),
            Self::Trade(_) => None,
        }
    }

    pub fn trade(&self) -> Option<&TradeRegistry> {
        match self {
            Self::Trade(trade) | Self::Both(_, trade) => Some(trade),
            Self::Mersis(_) => None,
        }
    }
}

impl PublicBody {
    pub(super) fn parse(form: &HolderForm, faults: &mut Faults) -> Option<Self> {
        let title = faults.take("title", title(form));
        let detsis = Detsis::parse(form.detsis.as_deref().unwrap_or_default());
        let detsis = faults.take("detsis", detsis);
        let vkn = faults.optional("vkn", &form.vkn, Vkn::parse);
        let activity = faults.optional("activity", &form.activity, Line::parse);
        Some(Self { title: title?, detsis: detsis?, vkn: vkn?, activity: activity? })
    }

    pub(super) fn form(&self) -> HolderForm {
        HolderForm {
            title: Some(self.title.to_string()),
            detsis: Some(self.detsis.to_string()),
            vkn: self.vkn.as_ref().map(ToString::to_string),
            activity: self.activity.as_ref().map(ToString::to_string),
            ..HolderForm::default()
        }
    }

    pub fn title(&self) -> &Line {
        &self.title
    }

    pub fn detsis(&self) -> &Detsis {
        &self.detsis
    }

    pub fn vkn(&self) -> Option<&Vkn> {
        self.vkn.as_ref()
    }

    pub fn activity(&self) -> Option<&Line> {
        self.activity.as_ref()
    }
}

fn title(form: &HolderForm) -> Result<Line, Fault> {
    Line::within(form.title.as_deref().unwrap_or_default(), TITLE, Fault::Title)
}

fn registered(form: &HolderForm, vkn: Option<&Vkn>, faults: &mut Faults) -> Option<Registered> {
    let mersis = faults.optional("mersis", &form.mersis, Mersis::parse);
    let number =
        faults.optional("trade_registry", &form.trade_registry, TradeRegistryNumber::parse);
    let office = faults.optional("registry_office", &form.registry_office, Line::parse);
    let (mersis, number, office) = (mersis?, number?, office?);
    let inner = mersis.as_ref().and_then(Mersis::vkn);
    if inner.is_some_and(|inner| vkn.is_some_and(|vkn| inner != *vkn)) {
        faults.say("mersis", Fault::MersisOfAnother);
        return None;
    }
    match (mersis, number, office) {
        (Some(mersis), None, None) => Some(Registered::Mersis(mersis)),
        (Some(mersis), Some(number), Some(office)) => {
            Some(Registered::Both(mersis, TradeRegistry { office, number }))
        }
        (None, Some(number), Some(office)) => {
            Some(Registered::Trade(TradeRegistry { office, number }))
        }
        _ => {
            faults.say("mersis", Fault::Registered);
            None
        }
    }
}

const TITLE: usize = 300;

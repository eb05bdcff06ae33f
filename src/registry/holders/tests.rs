use super::*;
use crate::wire::Timestamp;

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn ali() -> HolderForm {
    HolderForm {
        kind: "person".into(),
        given_names: some(" Ali  Can "),
        surname: some("Veli"),
        identity_number: some("10000000146"),
        father: some("Hasan"),
        birth_place: some("Sivas"),
        birth_date: some("1980-02-29"),
        ..HolderForm::default()
    }
}

fn wrong(form: &HolderForm) -> Vec<(&'static str, Fault)> {
    let faults = Holder::parse(form, NOW).unwrap_err().0;
    faults.into_iter().map(|one| (one.field, one.fault)).collect()
}

#[test]
fn a_form_is_a_holder_and_a_holder_its_form() {
    let company = HolderForm {
        kind: "tüzel".into(),
        title: some("Örnek Ticaret A.Ş."),
        vkn: some("8760052205"),
        mersis: some("0876-0052-2050-0014"),
        trade_registry: some("123456-0"),
        registry_office: some("Ankara"),
        activity: some("Yazılım"),
        ..HolderForm::default()
    };
    let public = HolderForm {
        kind: "public".into(),
        title: some("Örnek Üniversitesi"),
        detsis: some("24308110"),
        ..HolderForm::default()
    };
    let cases =
        [(ali(), "tc:10000000146"), (company, "vkn:8760052205"), (public, "detsis:24308110")];
    for (form, key) in cases {
        let holder = Holder::parse(&form, NOW).unwrap();
        assert_eq!(holder.key(), key);
        assert_eq!(Holder::parse(&holder.form(), NOW).unwrap(), holder);
        let json = serde_json::to_string(&holder.form()).unwrap();
        let read: HolderForm = serde_json::from_str(&json).unwrap();
        assert_eq!(Holder::parse(&read, NOW).unwrap(), holder);
    }
    assert_eq!(Holder::parse(&ali(), NOW).unwrap().name(), "Ali Can Veli");
}

#[test]
fn a_foreigner_is_known_by_his_number_or_his_passport() {
    let foreigner = HolderForm {
        nationality: some("de"),
        identity_number: None,
        foreigner_number: some("99000000042"),
        ..ali()
    };
    assert_eq!(Holder::parse(&foreigner, NOW).unwrap().key(), "yk:99000000042");
    let passport = some("c01x00t47");
    let abroad = HolderForm { foreigner_number: None, passport, ..foreigner.clone() };
    assert_eq!(Holder::parse(&abroad, NOW).unwrap().key(), "passport:DE:C01X00T47");
    let nationality = |form: HolderForm| wrong(&form) == [("nationality", Fault::Nationality)];
    assert!(nationality(HolderForm { nationality: some("TR"), ..foreigner.clone() }));
    assert!(nationality(HolderForm { nationality: some("TR"), ..abroad }));
    assert!(nationality(HolderForm { nationality: some("DE"), ..ali() }));
    assert!(nationality(HolderForm { identity_number: some("10000000146"), ..foreigner }));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let form = HolderForm {
        given_names: some("  "),
        identity_number: some("10000000147"),
        birth_date: some("2026-12-31"),
        vkn: some("8760052205"),
        ..ali()
    };
    let expected = [
        ("vkn", Fault::Foreign),
        ("given_names", Fault::Name),
        ("identity_number", Fault::CitizenNumber),
        ("birth_date", Fault::BirthDate),
    ];
    assert_eq!(wrong(&form), expected);
    assert_eq!(wrong(&HolderForm::default()), [("kind", Fault::Kind)]);
    let nobody = HolderForm { identity_number: None, ..ali() };
    assert_eq!(wrong(&nobody), [("identity_number", Fault::Identity)]);
    for day in ["1980-02-30", "1899-12-31", "29.02.1980", "", "9999-99-99"] {
        let form = HolderForm { birth_date: some(day), ..ali() };
        assert_eq!(Holder::parse(&form, NOW).is_ok(), day.is_empty(), "{day}");
    }
    let company = HolderForm {
        kind: "company".into(),
        title: some("X"),
        vkn: some("1234567890"),
        mersis: some("0876005220500014"),
        ..HolderForm::default()
    };
    assert_eq!(wrong(&company), [("mersis", Fault::MersisOfAnother)]);
    let half = HolderForm { mersis: None, trade_registry: some("12"), ..company };
    assert_eq!(wrong(&half), [("mersis", Fault::Registered)]);
}

#[test]
fn a_contact_is_right_in_each_of_its_parts() {
    let form = ContactForm {
        street: some("Atatürk Bulvarı 1"),
        district: some("Çankaya"),
        province: some("ankara"),
        postal_code: some("06420"),
        mobile: some("0532 555 00 11"),
        email: some("ali@ornek.com"),
        ..ContactForm::default()
    };
    let contact = Contact::parse(&form).unwrap();
    assert_eq!(Contact::parse(&contact.form()).unwrap(), contact);
    assert_eq!(contact.form().province.as_deref(), Some("Ankara"));
    assert_eq!(Contact::parse(&ContactForm::default()).unwrap(), Contact::default());
    let fault = |form: ContactForm| Contact::parse(&form).unwrap_err().0[0].fault;
    assert_eq!(
        fault(ContactForm { postal_code: some("34000"), ..form.clone() }),
        Fault::PostalCode
    );
    assert_eq!(fault(ContactForm { district: None, ..form.clone() }), Fault::Address);
    assert_eq!(fault(ContactForm { province: some("Bavyera"), ..form.clone() }), Fault::Province);
    let abroad = ContactForm {
        country: some("DE"),
        province: some("Bayern"),
        postal_code: some("80331"),
        ..form.clone()
    };
    assert!(Contact::parse(&abroad).is_ok());
    let changed =
        ContactForm { email: some("veli@ornek.com"), phone: some(""), ..Default::default() };
    let over = changed.over(form.clone());
    assert_eq!(over.differences(&form), ["phone", "email"]);
    assert!(Contact::parse(&over).unwrap().phone.is_none());
}

#[test]
fn an_invoice_has_a_title_a_number_and_an_address() {
    let form = InvoiceForm {
        title: "Örnek A.Ş.".into(),
        tax_office: some("Çankaya"),
        tax_number: "8760052205".into(),
        contact: contact::InvoiceAddress {
            street: "Atatürk Bulvarı 1".into(),
            district: "Çankaya".into(),
            province: "Ankara".into(),
            ..Default::default()
        },
    };
    let invoice = Invoice::parse(&form).unwrap();
    assert_eq!(Invoice::parse(&invoice.form()).unwrap(), invoice);
    let nowhere = InvoiceForm { contact: Default::default(), ..form.clone() };
    assert_eq!(Invoice::parse(&nowhere).unwrap_err().0[0].fault, Fault::Invoice);
    let nobody = InvoiceForm { tax_number: "10000000147".into(), ..form };
    assert_eq!(Invoice::parse(&nobody).unwrap_err().0[0].fault, Fault::Vkn);
}

#[test]
fn each_fault_is_said_in_both_languages() {
    let words: std::collections::BTreeSet<_> = Fault::ALL.iter().map(|one| one.word()).collect();
    assert_eq!(words.len(), Fault::ALL.len());
    for fault in Fault::ALL {
        assert!(fault.turkish().ends_with('.') && fault.english().ends_with('.'), "{fault:?}");
    }
}

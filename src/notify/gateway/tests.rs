use super::*;
use std::time::Duration;

fn gateway(body: Option<&str>, form: Form) -> Gateway {
    Gateway {
        dial: Dial::new(Duration::from_secs(1)).unwrap(),
        url: "https://sms.example/send?to={to}&m={text}".into(),
        body: body.map(str::to_owned),
        form,
        header: None,
        sender: "KEP & Co".into(),
        success: Some("\"ok\"".into()),
        refused: Some("blacklisted".into()),
        reference: Some("/data/0/id".into()),
    }
}

#[test]
fn values_are_written_as_their_place_asks() {
    let to = Mobile::parse("05321234567").unwrap();
    let text = "Şu \"{to}\" & <b>\r\n";
    let asked = |body, form| gateway(Some(body), form).request(&to, text, 42);
    let json = asked(r#"{"to":"{to}","m":"{text}","o":{},"id":{id}}"#, Form::Json);
    assert_eq!(
        json.url,
        "https://sms.example/send?to=905321234567&m=%C5%9Eu%20%22%7Bto%7D%22%20%26%20%3Cb%3E%0D%0A"
    );
    let parsed: serde_json::Value = serde_json::from_str(&json.body.unwrap()).unwrap();
    assert_eq!((parsed["m"].as_str(), parsed["id"].as_i64()), (Some(text), Some(42)));
    let form = asked("from={from}&to={to}", Form::Urlencoded).body.unwrap();
    assert_eq!(form, "from=KEP%20%26%20Co&to=905321234567");
    let xml = asked("<m>{text}</m>", Form::Xml).body.unwrap();
    assert!(roxmltree::Document::parse(&xml).is_ok(), "{xml}");
    assert_eq!(gateway(None, Form::Json).request(&to, "x", 1).body, None);
}

#[test]
fn an_answer_is_success_by_the_rule_alone() {
    let gateway = gateway(None, Form::Json);
    let said = |status, body| gateway.said(status, body, false);
    assert_eq!(said(200, r#"{"s":"ok","data":[{"id":77}]}"#), Said::Taken(vec!["77".into()]));
    assert_eq!(said(202, r#"{"s":"ok"}"#), Said::Taken(vec![]));
    assert!(matches!(said(200, r#"{"s":"error"}"#), Said::Later(_)));
    assert!(matches!(said(200, "blacklisted, \"ok\""), Said::Never(_)));
    for (status, never) in [(400, true), (422, true), (401, false), (404, false), (429, false)] {
        assert_eq!(matches!(said(status, ""), Said::Never(_)), never, "{status}");
    }
    for body in ["", "{", "[]", "\"ok\"", "{\"data\":[{\"id\":{}}],\"x\":\"ok\"}"] {
        let _ = said(200, body);
    }
    assert!(matches!(said(503, &"x".repeat(10_000)), Said::Later(why) if why.len() < 200));
}

/// A gateway that says again what it was asked.
#[test]
fn what_is_secret_stands_in_no_trouble() {
    let gateway = gateway(None, Form::Json);
    for (status, body) in [(400, "kod 123456"), (503, "kod 123456"), (200, "blacklisted 123456")] {
        let shown = |secret| match gateway.said(status, body, secret) {
            Said::Never(why) | Said::Later(why) => why.contains("123456"),
            Said::Taken(_) => panic!("{status}"),
        };
        assert_eq!((shown(false), shown(true)), (true, false), "{status}");
    }
}

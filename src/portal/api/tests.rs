use super::endpoint::{Place, Takes};
use super::route::{self, Found};
use super::{BASE, catalogue, openapi, operations};
use crate::registry::legal::TABLE;
use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::to_value(openapi(&[])).unwrap()
}

#[test]
fn router_and_document_agree() {
    let (operations, document) = (operations(), document());
    let mut listed = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method = method.to_ascii_uppercase();
            let asked = path.replace(['{', '}'], "");
            let Found::Operation(found, _) = route::find(&operations, &method, &asked) else {
                panic!("{method} {path} is in the document, and nowhere else");
            };
            assert_eq!((found.path, found.verb.word()), (path.as_str(), method.as_str()));
            listed.insert((path.clone(), method));
        }
    }
    for operation in &operations {
        let there = (operation.path.to_owned(), operation.verb.word().to_owned());
        assert!(listed.contains(&there), "{} is not in the document", operation.id);
    }
    assert_eq!(listed.len(), operations.len(), "two operations of one path and method");
}

#[test]
fn each_operation_says_what_it_is_and_all_it_may_answer() {
    let (operations, document) = (operations(), document());
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], BASE);
    let ids: BTreeSet<_> = operations.iter().map(|operation| operation.id).collect();
    assert_eq!(ids.len(), operations.len());
    for operation in &operations {
        let shown = &document["paths"][operation.path][operation.verb.word().to_ascii_lowercase()];
        let id = operation.id;
        assert!(!operation.turkish.is_empty() && !operation.english.is_empty(), "{id}");
        let words =
            operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let fields = operation.fields.iter().filter(|field| field.place == Place::Path);
        assert_eq!(
            words.collect::<Vec<_>>(),
            fields.map(|field| field.name).collect::<Vec<_>>(),
            "{id}"
        );
        let responses = shown["responses"].as_object().unwrap();
        let status = operation.gives.status.to_string();
        assert!(responses.contains_key(&status), "{id}");
        let mut needed = vec!["400", "429", "500", "503"];
        if operation.scope.is_some() {
            needed.extend(["401", "403"]);
            assert_eq!(shown["security"], serde_json::json!([{ "token": [] }]), "{id}");
        }
        if operation.personal {
            needed.extend(["401", "403"]);
            assert_eq!(shown["security"], serde_json::json!([{ "session": [] }]), "{id}");
        }
        if !matches!(operation.takes, Takes::Nothing) {
            needed.extend(["408", "413", "415"]);
        }
        for status in needed {
            let problem = &responses[status]["content"]["application/problem+json"];
            assert!(problem["example"]["code"].is_string(), "{id} {status}");
        }
        for problem in &operation.problems {
            assert!(responses.contains_key(&problem.status().to_string()), "{id}: {problem:?}");
        }
    }
}

#[test]
fn bodies_and_parameters_have_examples() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(!parameter["example"].is_null(), "{method} {path} {parameter}");
            }
            let sent = operation["requestBody"]["content"].as_object();
            for (media, content) in sent.into_iter().flatten() {
                assert!(!content["example"].is_null(), "{method} {path} {media}");
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                let json = &response["content"]["application/json"];
                let bare = path == "/openapi.json" || json.is_null();
                assert!(bare || json["example"].is_object(), "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn each_legal_act_is_asked_for_by_an_operation_of_persons_alone() {
    let operations = operations();
    for (act, ..) in TABLE {
        assert!(operations.iter().any(|operation| operation.legal == Some(act)), "{act:?}");
    }
    for operation in operations.iter().filter(|operation| operation.legal.is_some()) {
        assert!(operation.personal && operation.scope.is_none(), "{}", operation.id);
        assert!(
            !operation.named || WITHOUT_SECRETS.contains(&operation.id),
            "an answer that holds a secret is kept nowhere: {}",
            operation.id
        );
    }
}

/// Legal acts of whose answers one may be kept.
const WITHOUT_SECRETS: [&str; 8] = [
    "addOperator",
    "endOperator",
    "suspendOperator",
    "resumeOperator",
    "requestClosing",
    "withdrawClosing",
    "askForExport",
    "renewContract",
];

#[test]
fn every_schema_that_is_named_is_there() {
    let text = document().to_string();
    let schemas = document()["components"]["schemas"].as_object().unwrap().clone();
    for named in text.split("\"#/components/schemas/").skip(1) {
        let name = named.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
}

#[test]
fn the_catalogue_has_each_problem_of_each_operation() {
    let codes: BTreeSet<_> = catalogue(&[]).into_iter().map(|entry| entry.code).collect();
    for operation in operations() {
        for problem in &operation.problems {
            assert!(codes.contains(problem.row().code), "{problem:?}");
        }
    }
}

#[test]
fn the_document_names_each_state_of_a_submission() {
    let said = document()["components"]["schemas"]["Submission"]["properties"]["state"].to_string();
    for state in ["held", "signed", "withdrawn", "unscanned", "accepted", "dispatched"] {
        assert!(said.contains(&format!("`{state}`")), "{state}: {said}");
    }
}

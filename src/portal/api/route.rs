//! Which operation a path and a method name. Made of the list of operations, as the document is.

use super::endpoint::{Endpoint, Verb};
use super::headers::decoded;

/// What is found at a path.
pub enum Found<'a> {
    Nothing,
    /// The path is there, and the method is another one.
    Methods(Vec<&'static str>),
    Operation(&'a Endpoint, Vec<(&'static str, String)>),
}

/// Looks a path under `BASE` up. HEAD finds what GET does.
pub fn find<'a>(endpoints: &'a [Endpoint], method: &str, path: &str) -> Found<'a> {
    let mut methods = Vec::new();
    // A path without a word in it goes before one with.
    let mut best: Option<(&Endpoint, Vec<(&'static str, String)>)> = None;
    let wanted = if method == "HEAD" { Verb::Get.word() } else { method };
    for endpoint in endpoints {
        let Some(words) = fit(endpoint.path, path) else { continue };
        methods.push((words.len(), endpoint.verb));
        let better = best.as_ref().is_none_or(|(_, known)| words.len() < known.len());
        if endpoint.verb.word() == wanted && better {
            best = Some((endpoint, words));
        }
    }
    let Some(fewest) = methods.iter().map(|(words, _)| *words).min() else {
        return Found::Nothing;
    };
    match best.filter(|(_, words)| words.len() == fewest) {
        Some((endpoint, words)) => Found::Operation(endpoint, words),
        None => Found::Methods(allowed(&methods, fewest)),
    }
}

fn allowed(methods: &[(usize, Verb)], fewest: usize) -> Vec<&'static str> {
    let here = methods.iter().filter(|(words, _)| *words == fewest).map(|(_, verb)| *verb);
    let mut here: Vec<_> = here.collect();
    here.sort_unstable();
    let head = here.contains(&Verb::Get).then_some("HEAD");
    here.into_iter().map(Verb::word).chain(head).chain(["OPTIONS"]).collect()
}

/// The words of a path that a template asks for.
fn fit(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut words = Vec::new();
    let (mut wanted, mut there) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), there.next()) {
            (None, None) => return Some(words),
            (Some(want), Some(have)) => {
                match want.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) if !have.is_empty() => words.push((name, decoded(have, false)?)),
                    None if want == have => {}
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::api::endpoint::Tag;

    fn list() -> Vec<Endpoint> {
        let all = [
            (Verb::Get, "/messages", "list"),
            (Verb::Get, "/messages/{message}", "show"),
            (Verb::Patch, "/messages/{message}", "change"),
            (Verb::Post, "/messages/{message}/open", "open"),
            (Verb::Get, "/messages/newest", "newest"),
        ];
        all.map(|(verb, path, id)| Endpoint::new(verb, path, id, Tag::Messages)).into()
    }

    #[test]
    fn a_path_and_a_method_name_one_operation() {
        let list = list();
        let id = |method: &str, path: &str| match find(&list, method, path) {
            Found::Nothing => "nothing".to_owned(),
            Found::Methods(methods) => methods.join(" "),
            Found::Operation(endpoint, words) => {
                let words: Vec<_> =
                    words.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{} {}", endpoint.id, words.join(" ")).trim_end().to_owned()
            }
        };
        for (method, path, found) in [
            ("GET", "/messages", "list"),
            ("HEAD", "/messages", "list"),
            ("GET", "/messages/3-17", "show message=3-17"),
            ("GET", "/messages/a%2Fb", "show message=a/b"),
            ("GET", "/messages/newest", "newest"),
            ("POST", "/messages/3-17/open", "open message=3-17"),
            ("DELETE", "/messages/3-17", "GET PATCH HEAD OPTIONS"),
            ("PATCH", "/messages/newest", "GET HEAD OPTIONS"),
            ("GET", "/messages/3-17/open", "POST OPTIONS"),
            ("TRACE", "/messages", "GET HEAD OPTIONS"),
            ("GET", "/messages/", "nothing"),
            ("GET", "/messages//open", "nothing"),
            ("GET", "/messages/%ff", "nothing"),
            ("GET", "", "nothing"),
        ] {
            assert_eq!(id(method, path), found, "{method} {path}");
        }
    }
}

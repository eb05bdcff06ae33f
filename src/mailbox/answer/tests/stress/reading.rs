//! What a server says, taken apart: as much of the grammar as the clients of this test need.

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Atom(String),
    /// Quoted, or a literal.
    Text(Vec<u8>),
    List(Vec<Value>),
}

#[derive(Debug)]
pub enum Response {
    /// `*` has no tag.
    Status {
        tag: Option<String>,
        kind: String,
        code: Option<String>,
    },
    Data(Vec<Value>),
    GoOn,
}

/// Takes whole responses off the front.
pub fn responses(heard: &mut Vec<u8>) -> Vec<Response> {
    let mut all = Vec::new();
    while let Some(end) = end(heard) {
        let one: Vec<u8> = heard.drain(..end).collect();
        all.push(response(&one));
    }
    all
}

/// Where the first response ends: its literals belong to it.
fn end(heard: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = heard[at..].windows(2).position(|two| two == b"\r\n")? + at + 2;
        let Some(size) = literal(&heard[at..line]) else { return Some(line) };
        at = line + size;
        heard.get(..at)?;
    }
}

fn literal(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}\r\n")?;
    let open = line.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(&line[open + 1..]).ok()?.parse().ok()
}

fn response(octets: &[u8]) -> Response {
    let text = String::from_utf8_lossy(octets);
    let (first, rest) = text.trim_end().split_once(' ').unwrap_or_else(|| panic!("{text:?}"));
    if first == "+" {
        return Response::GoOn;
    }
    let kind = rest.split(' ').next().unwrap();
    if ["OK", "NO", "BAD", "BYE"].contains(&kind) {
        let code = rest[kind.len()..].trim_start().strip_prefix('[');
        let code = code.map(|code| code.split_once(']').unwrap().0.to_owned());
        let tag = (first != "*").then(|| first.to_owned());
        return Response::Status { tag, kind: kind.to_owned(), code };
    }
    assert_eq!(first, "*", "{text}");
    let mut cursor = &octets[2..octets.len() - 2];
    let values = values(&mut cursor);
    assert!(cursor.is_empty(), "{text}");
    Response::Data(values)
}

fn values(at: &mut &[u8]) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        match at {
            [] | [b')', ..] => return all,
            [b' ', rest @ ..] => *at = rest,
            [b'(', rest @ ..] => {
                *at = rest;
                all.push(Value::List(values(at)));
                *at = at.strip_prefix(b")").expect("a closing parenthesis");
            }
            [b'"', rest @ ..] => {
                *at = rest;
                all.push(Value::Text(quoted(at)));
            }
            [b'{' | b'~', ..] => {
                let line = at.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
                let size = literal(&at[..line]).unwrap();
                all.push(Value::Text(at[line..line + size].to_vec()));
                *at = &at[line + size..];
            }
            _ => all.push(Value::Atom(atom(at))),
        }
    }
}

fn quoted(at: &mut &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    loop {
        match at {
            [b'"', rest @ ..] => {
                *at = rest;
                return text;
            }
            [b'\\', octet, rest @ ..] | [octet, rest @ ..] => {
                text.push(*octet);
                *at = rest;
            }
            [] => panic!("a quoted string has no end"),
        }
    }
}

/// A section in brackets belongs to it.
fn atom(at: &mut &[u8]) -> String {
    let mut depth = 0;
    let end = at.iter().position(|octet| {
        match octet {
            b'[' => depth += 1,
            b']' => depth -= 1,
            _ => {}
        }
        depth == 0 && b" ()".contains(octet)
    });
    let (atom, rest) = at.split_at(end.unwrap_or(at.len()));
    *at = rest;
    String::from_utf8_lossy(atom).into_owned()
}

impl Value {
    pub fn atom(&self) -> &str {
        match self {
            Self::Atom(atom) => atom,
            other => panic!("no atom: {other:?}"),
        }
    }

    pub fn number<T: std::str::FromStr>(&self) -> T {
        self.atom().parse().unwrap_or_else(|_| panic!("no number: {self:?}"))
    }

    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(list) => list,
            other => panic!("no list: {other:?}"),
        }
    }
}

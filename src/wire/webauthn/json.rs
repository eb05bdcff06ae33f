//! The JSON that pages exchange with the browser (WebAuthn Level 3 §5.1.8 to §5.1.10: `toJSON`,
//! `parseCreationOptionsFromJSON`, `parseRequestOptionsFromJSON`): octets as base64url.

use super::ALGORITHMS;
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Value, json};

/// What the browser is asked to make.
#[derive(Clone, Debug)]
pub struct Creation<'a> {
    pub rp_id: &'a str,
    pub rp_name: &'a str,
    pub challenge: &'a [u8],
    /// Names the account to the authenticator; says nothing of the person (§14.6.1).
    pub user: &'a [u8],
    pub user_name: &'a str,
    pub display_name: &'a str,
    /// Those that are there already.
    pub exclude: &'a [Vec<u8>],
}

/// What the browser is asked to prove; without `allow` by any passkey that it knows.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub rp_id: &'a str,
    pub challenge: &'a [u8],
    pub allow: &'a [Vec<u8>],
}

/// What `navigator.credentials.create` gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    pub id: Vec<u8>,
    pub client_data: Vec<u8>,
    pub attestation: Vec<u8>,
}

/// What `navigator.credentials.get` gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assertion {
    pub id: Vec<u8>,
    pub client_data: Vec<u8>,
    pub authenticator_data: Vec<u8>,
    pub signature: Vec<u8>,
    pub user: Option<Vec<u8>>,
}

impl Creation<'_> {
    pub fn json(&self) -> Value {
        let algorithms = ALGORITHMS.map(|alg| json!({ "type": "public-key", "alg": alg }));
        json!({
            "rp": { "id": self.rp_id, "name": self.rp_name },
            "user": {
                "id": BASE64URL_NOPAD.encode(self.user),
                "name": self.user_name,
                "displayName": self.display_name,
            },
            "challenge": BASE64URL_NOPAD.encode(self.challenge),
            "pubKeyCredParams": algorithms,
            "timeout": TIMEOUT,
            "excludeCredentials": named(self.exclude),
            "authenticatorSelection": {
                "residentKey": "preferred",
                "requireResidentKey": false,
                "userVerification": "required",
            },
            "attestation": "none",
        })
    }
}

impl Request<'_> {
    pub fn json(&self) -> Value {
        json!({
            "challenge": BASE64URL_NOPAD.encode(self.challenge),
            "timeout": TIMEOUT,
            "rpId": self.rp_id,
            "allowCredentials": named(self.allow),
            "userVerification": "required",
        })
    }
}

fn named(ids: &[Vec<u8>]) -> Vec<Value> {
    let one = |id: &Vec<u8>| json!({ "type": "public-key", "id": BASE64URL_NOPAD.encode(id) });
    ids.iter().map(one).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form<R> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    response: R,
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "attestationObject")]
    attestation: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Got {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    #[serde(default)]
    user_handle: Option<String>,
}

impl Registration {
    pub fn parse(json: &str) -> Option<Self> {
        let form: Form<Created> = form(json)?;
        Some(Self {
            id: octets(&form.id)?,
            client_data: octets(&form.response.client_data)?,
            attestation: octets(&form.response.attestation)?,
        })
    }
}

impl Assertion {
    pub fn parse(json: &str) -> Option<Self> {
        let form: Form<Got> = form(json)?;
        Some(Self {
            id: octets(&form.id)?,
            client_data: octets(&form.response.client_data)?,
            authenticator_data: octets(&form.response.authenticator_data)?,
            signature: octets(&form.response.signature)?,
            user: match form.response.user_handle.as_deref() {
                None | Some("") => None,
                Some(user) => Some(octets(user)?),
            },
        })
    }
}

fn form<'a, R: Deserialize<'a>>(json: &'a str) -> Option<Form<R>> {
    if json.len() > LARGEST {
        return None;
    }
    serde_json::from_str(json).ok().filter(|form: &Form<R>| form.kind == "public-key")
}

/// Some browsers pad what need not be padded.
fn octets(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()
}

/// Milliseconds that a person may take.
const TIMEOUT: u32 = 120_000;
/// A few kilobytes are usual, keys of RSA included.
const LARGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_asks_for_no_attestation_but_for_the_person() {
        let known = [vec![1, 2, 3]];
        let creation = Creation {
            rp_id: "kep.example",
            rp_name: "Deneme",
            challenge: &[255; 4],
            user: b"1",
            user_name: "ali@hs05.kep.tr",
            display_name: "Ali",
            exclude: &known,
        };
        let json = creation.json();
        assert_eq!(json["attestation"], "none");
        assert_eq!(json["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(json["challenge"], "_____w");
        assert_eq!(json["excludeCredentials"][0]["id"], "AQID");
        let request = Request { rp_id: "kep.example", challenge: &[0; 3], allow: &[] }.json();
        assert_eq!(request["allowCredentials"], json!([]));
    }

    #[test]
    fn what_a_browser_gives_is_read() {
        let text = r#"{"id":"AQID","rawId":"AQID","type":"public-key","clientExtensionResults":{},
            "response":{"clientDataJSON":"e30","authenticatorData":"AA==","signature":"AQ",
            "userHandle":null}}"#;
        let read = Assertion::parse(text).unwrap();
        assert_eq!((read.id, read.user, read.signature), (vec![1, 2, 3], None, vec![1]));
        for bad in ["", "{}", "[]", &text.replace("public-key", "other"), &text.replace("e30", "%")]
        {
            assert_eq!(Assertion::parse(bad), None);
            assert_eq!(Registration::parse(bad), None);
        }
    }
}

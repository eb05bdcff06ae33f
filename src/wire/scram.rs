//! SCRAM messages (RFC 5802 §7), the server's half: what a client says is read, what it hears is
//! written. Nothing is proven here; that needs keys.

use data_encoding::BASE64;

/// What the client says of channel binding (`gs2-cbind-flag`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Binding {
    /// `n`: it can't.
    Unable,
    /// `y`: it could, and believes that we can't.
    NotOffered,
    /// `p=`: it binds by this.
    By(String),
}

/// `client-first-message`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientFirst {
    pub binding: Binding,
    /// The authorisation identity, if one is named.
    pub on_behalf: Option<String>,
    pub user: String,
    nonce: String,
    /// `gs2-header`, as it came.
    header: String,
    /// `client-first-message-bare`, as it came.
    bare: String,
}

/// An exchange whose challenge is said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    first: ClientFirst,
    nonce: String,
    challenge: String,
}

/// What the client's last message is to be proven by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    pub user: String,
    /// `AuthMessage`.
    pub message: Vec<u8>,
    /// `ClientProof`.
    pub proof: Vec<u8>,
}

impl ClientFirst {
    /// `None` for what is none, or asks for an extension that nobody knows (`m=`).
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(octets).ok().filter(|text| !text.contains('\0'))?;
        let (flag, rest) = text.split_once(',')?;
        let (on_behalf, bare) = rest.split_once(',')?;
        let binding = match flag {
            "n" => Binding::Unable,
            "y" => Binding::NotOffered,
            _ => Binding::By(flag.strip_prefix("p=").filter(|name| is_name(name))?.to_owned()),
        };
        let on_behalf = match on_behalf {
            "" => None,
            named => Some(saslname(named.strip_prefix("a=")?)?),
        };
        let mut fields = bare.split(',');
        let user = saslname(fields.next()?.strip_prefix("n=")?)?;
        let nonce = fields.next()?.strip_prefix("r=").filter(|nonce| is_nonce(nonce))?.to_owned();
        let header = text.get(..text.len() - bare.len())?.to_owned();
        Some(Self { binding, on_behalf, user, nonce, header, bare: bare.to_owned() })
    }
}

impl Exchange {
    /// `nonce` is the server's part.
    pub fn begin(first: ClientFirst, nonce: &str, salt: &[u8], iterations: u32) -> Self {
        let nonce = format!("{}{nonce}", first.nonce);
        let challenge = format!("r={nonce},s={},i={iterations}", BASE64.encode(salt));
        Self { first, nonce, challenge }
    }

    /// `server-first-message`.
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    pub fn user(&self) -> &str {
        &self.first.user
    }

    /// Reads `client-final-message`. `channel` is the data that the client had to bind to; `None`
    /// for a message that is none, or of another exchange or channel.
    pub fn finish(self, octets: &[u8], channel: &[u8]) -> Option<Proof> {
        let text = std::str::from_utf8(octets).ok()?;
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut fields = without_proof.split(',');
        let bound = BASE64.decode(fields.next()?.strip_prefix("c=")?.as_bytes()).ok()?;
        let nonce = fields.next()?.strip_prefix("r=")?;
        if nonce != self.nonce || bound != [self.first.header.as_bytes(), channel].concat() {
            return None;
        }
        let proof = BASE64.decode(proof.as_bytes()).ok()?;
        let message = format!("{},{},{without_proof}", self.first.bare, self.challenge);
        Some(Proof { user: self.first.user, message: message.into_bytes(), proof })
    }
}

/// `server-final-message` of an exchange that went well.
pub fn server_final(signature: &[u8]) -> String {
    format!("v={}", BASE64.encode(signature))
}

/// `=2C` is a comma, `=3D` an equals sign; nothing else may be escaped.
fn saslname(text: &str) -> Option<String> {
    let mut pieces = text.split('=');
    let mut name = pieces.next()?.to_owned();
    for piece in pieces {
        let (sign, rest) = match piece.split_at_checked(2)? {
            ("2C", rest) => (',', rest),
            ("3D", rest) => ('=', rest),
            _ => return None,
        };
        name.push(sign);
        name.push_str(rest);
    }
    (!name.is_empty()).then_some(name)
}

fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b',')
}

/// `cb-name`.
fn is_name(text: &str) -> bool {
    let sound = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    !text.is_empty() && text.bytes().all(sound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(text: &str) -> Option<ClientFirst> {
        ClientFirst::parse(text.as_bytes())
    }

    #[test]
    fn the_example_of_the_standard_is_read() {
        // RFC 7677 §3.
        let begun = first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!((begun.user.as_str(), &begun.binding), ("user", &Binding::Unable));
        let salt = BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let exchange = Exchange::begin(begun, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", &salt, 4096);
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let challenge = format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        assert_eq!(exchange.challenge(), challenge);
        let last = format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        let proof = exchange.clone().finish(last.as_bytes(), b"").unwrap();
        let message = format!("n=user,r=rOprNGfwEbeRWgbNEkqO,{challenge},c=biws,r={nonce}");
        assert_eq!(proof.message, message.as_bytes());
        assert_eq!((proof.user.as_str(), proof.proof.len()), ("user", 32));
        for other in [
            last.replace("c=biws", "c=eSws"),
            last.replace("rOpr", "rOps"),
            last.replace(",p=", ",q="),
            last.replace("dHzb", "dHz"),
            last.replace("c=biws,", ""),
            String::new(),
        ] {
            assert_eq!(exchange.clone().finish(other.as_bytes(), b""), None, "{other}");
        }
        assert_eq!(exchange.finish(last.as_bytes(), b"a channel"), None);
    }

    #[test]
    fn a_channel_is_bound_with_the_header_that_named_it() {
        let begun = first("p=tls-exporter,a=a=2Cb,n=a=2Cb,r=abc,x=1").unwrap();
        assert_eq!(begun.binding, Binding::By("tls-exporter".into()));
        assert_eq!((begun.on_behalf.as_deref(), begun.user.as_str()), (Some("a,b"), "a,b"));
        let exchange = Exchange::begin(begun, "def", b"salt", 4096);
        let bound = BASE64.encode(b"p=tls-exporter,a=a=2Cb,\0\x01");
        let last = format!("c={bound},r=abcdef,ext=1,p=AAAA");
        assert!(exchange.clone().finish(last.as_bytes(), b"\0\x01").is_some());
        assert!(exchange.finish(last.as_bytes(), b"\0\x02").is_none());
    }

    #[test]
    fn what_is_no_first_message_is_refused() {
        for text in [
            "",
            "n",
            "n,",
            "n,,",
            "n,,n=user",
            "n,,n=,r=abc",
            "n,,n=user,r=",
            "n,,r=abc,n=user",
            "n,,m=ext,n=user,r=abc",
            "q,,n=user,r=abc",
            "p=,,n=user,r=abc",
            "p=a b,,n=user,r=a",
            "n,x=1,n=user,r=abc",
            "n,,n=us=2cer,r=abc",
            "n,,n=user=,r=abc",
            "n,,n=u\0,r=abc",
            "n,,n=user,r=a\u{7f}",
            "n,,n=user,r=ğ",
            "n,,n=a=3ğ,r=a",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
        assert_eq!(first("y,,n=user,r=abc").unwrap().binding, Binding::NotOffered);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_panic(octets: Vec<u8>, text in "[npy=,ar2CD3ğ]{0,40}") {
            ClientFirst::parse(&octets);
            let Some(begun) = ClientFirst::parse(text.as_bytes()) else { return Ok(()) };
            Exchange::begin(begun, "n", b"s", 1).finish(&octets, &octets);
        }
    }
}

//! Asks the gateway.

use super::Gateway;
use crate::notify::fate::Said;
use crate::trust::dial::Asked;
use crate::wire::Mobile;

impl Gateway {
    pub async fn send(&self, to: &Mobile, text: &str, id: i64, secret: bool) -> Said {
        let request = self.request(to, text, id);
        let asked = Asked {
            url: &request.url,
            body: request.body.map(|body| (self.form.content_type(), body)),
            header: self.header.as_ref().map(|(name, value)| (name.as_str(), value)),
        };
        match self.dial.ask(asked, LARGEST).await {
            Ok((status, body)) => self.said(status, &String::from_utf8_lossy(&body), secret),
            // Number and text may stand in the URL: it is no part of what is kept.
            Err(error) => Said::Later(error.without_url()),
        }
    }
}

/// Of an answer.
const LARGEST: usize = 64 << 10;

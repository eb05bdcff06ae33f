//! What people read in our mails; an operator may replace each.

use crate::wire::rem::{Template, Words};

/// Introductions of dispatches and evidence mails, and the notice that stands for a sealed dispatch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Texts {
    pub dispatch: Template,
    pub evidence: Template,
    pub stub: Template,
}

impl Default for Texts {
    fn default() -> Self {
        Self { dispatch: Template::dispatch(), evidence: Template::evidence(), stub: stub() }
    }
}

fn stub() -> Template {
    let words = |title: &str, lines: &[&str]| Words {
        title: title.to_owned(),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
    };
    Template {
        turkish: words(
            "Açılmamış KEP iletisi (kapalı zarf)",
            &[
                "Konu: {subject}",
                "Gönderen: {sender}",
                "Alıcılar: {recipients}",
                "Kabul zamanı: {time}",
                "Boyut: {size}",
                "İleti kimliği: {message_id}",
                "İçerik, siz iletiyi açana kadar sunucuda kalır. Açmak için bu iletiyi Açılacaklar \
                 klasörüne taşıyın; ileti okundu sayılır, okundu delili oluşur ve iletinin tamamı \
                 Gelen Kutunuza konur.",
                "Portaldan da açabilirsiniz: {portal}",
            ],
        ),
        english: words(
            "Unopened registered message (sealed)",
            &[
                "Subject: {subject}",
                "Sender: {sender}",
                "Recipients: {recipients}",
                "Accepted: {time}",
                "Size: {size}",
                "Message identifier: {message_id}",
                "The content stays on the server until you open the message. To open it, move this \
                 notice to the mailbox Açılacaklar: the message counts as read, evidence of that is \
                 issued, and the whole message is put into your INBOX.",
                "You can also open it in the portal: {portal}",
            ],
        ),
    }
}

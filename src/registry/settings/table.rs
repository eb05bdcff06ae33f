//! The one table of settings. A row: field, key, kind, what holds until somebody says otherwise, and
//! what it is about in Turkish and English. Whoever adds one adds a row here, and a field to what the API
//! shows.

use super::kinds::{
    Asking, Clock, Column, Columns, Density, Format, PageSize, SignatureText, Theme, Undo,
};
use crate::registry::declared::declared;
use crate::registry::outbox::Language;

declared! {
    /// What a person works with.
    Settings {
        page_size "page-size": PageSize = PageSize(50),
            "Sayfadaki ileti sayısı", "Messages on a page";
        density "density": Density = Density::Normal,
            "Satır yoğunluğu", "How close rows stand";
        theme "theme": Theme = Theme::System,
            "Tema", "Colours";
        language "language": Language = Language::Turkish,
            "Dil; hesap sahibine giden bildirimlerin de dili", "Language, of notices to the holder too";
        clock "clock": Clock = Clock::Hours24,
            "Saat biçimi", "How times of day are written";
        shortcuts "shortcuts": bool = true,
            "Klavye kısayolları", "Whether keys are shortcuts";
        undo "undo": Undo = Undo(10),
            "Gönderimden önce geri alma süresi (saniye)", "Seconds in which sending can be taken back";
        asking "ask-before-opening": Asking = Asking::Always,
            "Açmadan önce sor (okundu delili)", "Whether opening, which is proven to the sender, is asked about";
        format "format": Format = Format::Html,
            "Yeni iletinin varsayılan biçimi", "How new messages are written";
        signature_text "signature-text": SignatureText = SignatureText(String::new()),
            "İmza metni", "Text beneath new messages";
        columns "columns": Columns = Columns(Column::ALL.to_vec()),
            "Liste sütunları", "Columns of lists";
    }
}

//! What the user is told when something is refused for a reason of KEP, not of IMAP.

pub const ONLY_STUBS_OPEN: &str = "Açılacaklar klasörüne yalnız açılmamış iletilerin bildirimleri \
    taşınabilir / Only notices of unopened messages can be moved to Açılacaklar";

pub const OPEN_BEFORE_COPY: &str = "Açılmamış ileti kopyalanamaz; taşıyabilir ya da önce \
    açabilirsiniz / An unopened message can't be copied; move it, or open it first";

pub const OPEN_BEFORE_DELETE: &str = "Klasörde açılmamış ileti var; önce açın ya da başka bir klasöre \
    taşıyın / There are unopened messages in the mailbox; open them or move them elsewhere first";

/// To a program whose password opens by moving, in an account whose messages open by being fetched.
pub const OPEN_BY_MOVING: &str = "Açılmamış ileti; açmak için Açılacaklar klasörüne taşıyın / \
    Unopened; to open it, move it to Açılacaklar";

pub const ONLY_EVIDENCE: &str = "Deliller klasörüne yalnız deliller konabilir / Only evidence can \
    be put into Deliller";

pub const ONLY_SERVER: &str = "Bu klasöre yalnız sunucu ileti koyar / Only the server puts \
    messages into this mailbox";

pub const SEARCH_TOO_WIDE: &str = "Arama çok fazla ileti açıyor; tarih ya da klasörle daraltın / \
    The search opens too much; narrow it by date or mailbox";

//! A command never panics. What imap-codec reads is within our bounds read too: as the same command
//! under the same tag, about the same names.
#![no_main]
use imap_codec::CommandCodec;
use imap_codec::decode::Decoder;
use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::extensions::metadata::Entry;
use imap_codec::imap_types::fetch::MacroOrMessageDataItemNames::MessageDataItemNames as Items;
use imap_codec::imap_types::mailbox::Mailbox;
use kep::wire::imap::command::{Acl, Order};
use kep::wire::imap::{Command, parse_command_bytes};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let ours = parse_command_bytes(octets);
    let Ok((rest, theirs)) = CommandCodec::default().decode(octets) else { return };
    if !rest.is_empty() {
        return;
    }
    // It takes an empty list of items, which RFC 9051 §9 doesn't have.
    if matches!(&theirs.body, CommandBody::Fetch { macro_or_item_names: Items(items), .. } if items.is_empty())
    {
        return;
    }
    // A message's octets stream in behind their announcement: with them it is nothing for this parser.
    if matches!(&theirs.body, CommandBody::Append { .. }) {
        return;
    }
    // It takes names of entries without a slash, which RFC 5464 §3.2 doesn't have: options stand there, too.
    if matches!(&theirs.body, CommandBody::GetMetadata { entries, .. } if entries.as_ref().iter().any(nameless))
    {
        return;
    }
    let ours = match ours {
        Ok(ours) => ours,
        Err(reason) => return assert!(BOUNDS.contains(&reason), "{reason}: {theirs:?}"),
    };
    assert_eq!(ours.tag, theirs.tag.as_ref());
    assert_eq!(name(&ours.command), theirs.body.name().to_ascii_uppercase());
    if let (Some(ours), Some(theirs)) = (mailbox(&ours.command), their_mailbox(&theirs.body)) {
        let inbox = ours.eq_ignore_ascii_case(b"INBOX") && theirs == b"INBOX";
        assert!(inbox || ours == theirs, "{ours:?} {theirs:?}");
    }
});

fn nameless(entry: &Entry<'_>) -> bool {
    !AsRef::<[u8]>::as_ref(entry).starts_with(b"/")
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Capability => "CAPABILITY",
        Command::Noop => "NOOP",
        Command::Logout => "LOGOUT",
        Command::StartTls => "STARTTLS",
        Command::Authenticate { .. } => "AUTHENTICATE",
        Command::Login { .. } => "LOGIN",
        Command::Enable(_) => "ENABLE",
        Command::Id(_) => "ID",
        Command::Namespace => "NAMESPACE",
        Command::Notify(_) => "NOTIFY",
        Command::UidBatches(_) => "UIDBATCHES",
        Command::Unauthenticate => "UNAUTHENTICATE",
        Command::Compress(_) => "COMPRESS",
        Command::Select(select) if select.examine => "EXAMINE",
        Command::Select(_) => "SELECT",
        Command::Create { .. } => "CREATE",
        Command::Delete(_) => "DELETE",
        Command::Rename { .. } => "RENAME",
        Command::Subscribe { on: true, .. } => "SUBSCRIBE",
        Command::Subscribe { .. } => "UNSUBSCRIBE",
        Command::List(_) => "LIST",
        Command::Lsub { .. } => "LSUB",
        Command::Status { .. } => "STATUS",
        Command::GetMetadata(_) => "GETMETADATA",
        Command::SetMetadata { .. } => "SETMETADATA",
        Command::GetQuota(_) => "GETQUOTA",
        Command::GetQuotaRoot(_) => "GETQUOTAROOT",
        Command::SetQuota => "SETQUOTA",
        Command::Acl { acl: Acl::Mine, .. } => "MYRIGHTS",
        Command::Acl { .. } => "ACL",
        Command::Append(_) => "APPEND",
        Command::Idle => "IDLE",
        Command::Check => "CHECK",
        Command::Close => "CLOSE",
        Command::Unselect => "UNSELECT",
        Command::Expunge(None) => "EXPUNGE",
        Command::Expunge(Some(_)) => "EXPUNGE",
        Command::Search(search) => match search.order {
            Order::Mailbox => "SEARCH",
            Order::Sort(_) => "SORT",
            Order::Thread(_) => "THREAD",
        },
        Command::MultiSearch(_) => "ESEARCH",
        Command::CancelUpdate(_) => "CANCELUPDATE",
        Command::Fetch(_) => "FETCH",
        Command::Store(_) => "STORE",
        Command::Copy { .. } => "COPY",
        Command::Move { .. } => "MOVE",
    }
}

fn mailbox(command: &Command) -> Option<&[u8]> {
    match command {
        Command::Select(select) => Some(&select.name),
        Command::Create { name, .. } | Command::Delete(name) | Command::Status { name, .. } => {
            Some(name)
        }
        Command::Subscribe { name, .. } => Some(name),
        Command::Copy { to, .. } | Command::Move { to, .. } => Some(to),
        _ => None,
    }
}

fn their_mailbox<'a>(body: &'a CommandBody<'_>) -> Option<&'a [u8]> {
    let mailbox = match body {
        CommandBody::Select { mailbox, .. }
        | CommandBody::Examine { mailbox, .. }
        | CommandBody::Create { mailbox }
        | CommandBody::Delete { mailbox }
        | CommandBody::Subscribe { mailbox }
        | CommandBody::Unsubscribe { mailbox }
        | CommandBody::Status { mailbox, .. }
        | CommandBody::Copy { mailbox, .. }
        | CommandBody::Move { mailbox, .. } => mailbox,
        _ => return None,
    };
    Some(match mailbox {
        Mailbox::Inbox => b"INBOX",
        Mailbox::Other(other) => other.inner().as_ref(),
    })
}

/// Why we refuse what the judge reads.
const BOUNDS: [&str; 21] = [
    "Bad entry name",
    "Bad field name",
    "Bad keyword",
    "Bad message set",
    "NUL in a literal",
    "Part number too deep",
    "Search nested too deep",
    "Tag too long",
    "Too many FETCH items",
    "Too many arguments",
    "Too many entries",
    "Too many ID fields",
    "Too many items",
    "Too many keywords",
    "Too many resources",
    "Too many search keys",
    "Too many search texts",
    "Too many sort keys",
    "Unknown charset",
    "Unknown threading",
    "VANISHED needs UID FETCH with CHANGEDSINCE",
];

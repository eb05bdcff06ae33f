mod imap_script;
mod imap_transcripts;
mod imap_world;

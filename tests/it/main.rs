mod imap_transcripts;
mod imap_world;

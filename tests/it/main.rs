mod dialogue;
mod mail;
mod smtp;
mod transcript;

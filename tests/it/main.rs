mod smtp;
mod transcript;

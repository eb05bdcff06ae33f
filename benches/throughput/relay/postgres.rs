//! A private PostgreSQL server, as the tests of the storage have it, and rows in it.

#[path = "../../../tests/it/storage/server.rs"]
mod server;

use std::io;

use super::provider::Provider;
use crate::conf;

/// A database of its own, and what serves it.
pub struct Database {
    pub url: String,
    /// The server's first process.
    pub server: u32,
}

impl Database {
    /// `None` when PostgreSQL is not installed.
    pub async fn new() -> io::Result<Option<Self>> {
        let Some(server) = server::server() else { return Ok(None) };
        let url = server.database().await;
        let row = server::admin(&url).await.query_one("SHOW data_directory", &[]).await;
        let folder: String = row.map_err(io::Error::other)?.get(0);
        let pid = std::fs::read_to_string(format!("{folder}/postmaster.pid"))?;
        let pid = pid.lines().next().and_then(|line| line.parse().ok());
        let server = pid.ok_or_else(|| io::Error::other("postmaster.pid"))?;
        Ok(Some(Self { url, server }))
    }

    pub async fn execute(&self, sql: &str) -> io::Result<()> {
        server::admin(&self.url).await.batch_execute(sql).await.map_err(io::Error::other)
    }

    /// Has a provider keep its rows here, its accounts with them.
    pub async fn hold(&self, provider: &Provider) -> io::Result<()> {
        conf::set(&provider.world, "data", &[("rows", self.url.as_str().into())])?;
        // The schema is made by a start.
        provider.world.serve().await?.kill().await?;
        let (password, certificate) = (provider.file("password"), provider.file("certificate.pem"));
        for account in provider.world.accounts() {
            std::fs::write(&password, &account.password)?;
            std::fs::write(&certificate, account.signer.certificate().to_pem()?)?;
            let files = [&password, &certificate].map(|file| file.to_string_lossy().into_owned());
            let add = ["account", "add", &account.address, "--name", "Ali Veli"];
            let with = ["--password-file", &files[0], "--certificate", &files[1]];
            provider.kep(&[&add[..], &with].concat()).await?;
        }
        Ok(())
    }
}

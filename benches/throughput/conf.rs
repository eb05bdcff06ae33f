//! What a measurement changes in a provider's configuration.

use std::io;

use super::client::world::World;

/// Sets values in one section.
pub fn set(world: &World, section: &str, values: &[(&str, toml::Value)]) -> io::Result<()> {
    let file = world.folder().join("kep.toml");
    let conf = std::fs::read_to_string(&file)?;
    let mut conf: toml::Table = conf.parse().map_err(io::Error::other)?;
    let table = conf.entry(section).or_insert_with(|| toml::Table::new().into());
    let table = table.as_table_mut().ok_or_else(|| io::Error::other(section.to_owned()))?;
    for (name, value) in values {
        table.insert((*name).to_owned(), value.clone());
    }
    std::fs::write(file, conf.to_string())
}

/// All connections of a measurement come from one address.
pub fn let_many_in(world: &World) -> io::Result<()> {
    let many = || CONNECTIONS.into();
    set(world, "mailbox", &[("max_connections", many()), ("max_connections_per_address", many())])
}

const CONNECTIONS: i64 = 100_000;

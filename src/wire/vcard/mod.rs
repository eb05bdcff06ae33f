//! vCard: 4.0 (RFC 6350, RFC 6868) is what we write and keep; 3.0 (RFC 2426) and 2.1 are read into it. A
//! card keeps every property it came with, in its order, whether anybody here understands it or not.

mod lines;
mod property;
mod read;
mod value;
mod write;

pub use property::{Parameter, Property};
pub use read::{Bad, Read, read};
pub use value::{components, escape, items, join, text};

/// A contact's properties; `BEGIN`, `VERSION` and `END` go without saying.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Card {
    pub properties: Vec<Property>,
}

impl Card {
    /// All properties of a name (upper case), in their order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    /// The preferred one of that name (RFC 6350 §5.3), or the first.
    pub fn first(&self, name: &str) -> Option<&Property> {
        let all = self.properties.iter().filter(|property| property.name == name);
        all.min_by_key(|property| property.preference())
    }

    /// The text of the first one, unescaped; empty when there is none.
    pub fn text(&self, name: &str) -> String {
        self.first(name).map(|property| text(&property.value)).unwrap_or_default()
    }

    /// Sets the first one's value and keeps its parameters; an empty value takes it away.
    pub fn set(&mut self, name: &str, value: String) {
        let Some(known) = self.first(name).cloned() else {
            if !value.is_empty() {
                self.properties.push(Property::new(name, value));
            }
            return;
        };
        let Some(place) = self.properties.iter().position(|property| *property == known) else {
            return;
        };
        match (value.is_empty(), self.properties.get_mut(place)) {
            (true, _) => _ = self.properties.remove(place),
            (false, Some(property)) => property.value = value,
            (false, None) => {}
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.properties.retain(|property| property.name != name);
    }
}

#[cfg(test)]
mod tests;

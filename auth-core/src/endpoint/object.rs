//! Writing what an endpoint answers: members in the order of the configuration, under the names of the API.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::words::Words;

/// The members of one JSON object.
///
/// A map of `serde_json` would sort them; clients do not mind, but people compare what they get with their guide.
#[derive(Clone, Debug, Default)]
pub(super) struct Object(Vec<(&'static str, Member)>);

#[derive(Clone, Debug)]
enum Member {
    Value(Value),
    Object(Named),
    List(Vec<Named>),
}

/// An object whose members have the names of the API.
#[derive(Clone, Debug)]
pub(super) struct Named(Vec<(String, Member)>);

impl Object {
    /// Adds a member that is a plain value.
    pub(super) fn say(&mut self, member: &'static str, value: impl Into<Value>) {
        self.0.push((member, Member::Value(value.into())));
    }

    /// Adds a member that is an object.
    pub(super) fn nest(&mut self, member: &'static str, object: Named) {
        self.0.push((member, Member::Object(object)));
    }

    /// Adds a member that is a list of objects.
    pub(super) fn list(&mut self, member: &'static str, objects: Vec<Named>) {
        self.0.push((member, Member::List(objects)));
    }

    /// Adds every member of another one that is not there yet.
    pub(super) fn join(&mut self, other: Self) {
        for (member, value) in other.0 {
            if self.0.iter().all(|(known, _)| *known != member) {
                self.0.push((member, value));
            }
        }
    }

    /// The wanted members, in that order, under the names of the API.
    pub(super) fn named(mut self, wanted: &[&'static str], words: &Words) -> Named {
        let mut take = |wanted: &&'static str| {
            let at = self.0.iter().position(|(member, _)| member == wanted)?;
            Some((words.name(wanted).to_owned(), self.0.swap_remove(at).1))
        };
        Named(wanted.iter().filter_map(&mut take).collect())
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, member) in &self.0 {
            map.serialize_entry(name, member)?;
        }
        map.end()
    }
}

impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Object(object) => object.serialize(serializer),
            Self::List(objects) => objects.serialize(serializer),
        }
    }
}

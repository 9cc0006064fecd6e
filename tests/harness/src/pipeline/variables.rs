use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::agent::Variable;

/// A mapping of names to texts, in the order in which it was written. Numbers and booleans stay as written.
#[derive(Debug, Default)]
pub(super) struct Pairs(pub(super) Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping of names to texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
            pairs.push((name, value.unwrap_or_default()));
        }
        Ok(Pairs(pairs))
    }
}

/// `variables:` as a mapping, or as a list of `name`, `value`, `readonly`.
#[derive(Debug, Default)]
pub(super) struct VariableBlock(pub(super) Vec<Variable>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    name: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    readonly: bool,
}

impl<'de> Deserialize<'de> for VariableBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BlockVisitor)
    }
}

struct BlockVisitor;

impl<'de> Visitor<'de> for BlockVisitor {
    type Value = VariableBlock;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping or a list of variables")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<VariableBlock, A::Error> {
        let pairs = PairsVisitor.visit_map(map)?.0;
        Ok(VariableBlock(pairs.iter().map(|(name, value)| Variable::public(name, value)).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<VariableBlock, A::Error> {
        let mut variables = Vec::new();
        while let Some(Listed { name, value, readonly }) = list.next_element()? {
            variables.push(Variable { read_only: readonly, ..Variable::public(&name, &value) });
        }
        Ok(VariableBlock(variables))
    }
}

/// `dependsOn:` as one name or a list of names.
#[derive(Debug)]
pub(super) struct Names(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name or a list of names")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Names, E> {
        Ok(Names(vec![name.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element()? {
            names.push(name);
        }
        Ok(Names(names))
    }
}

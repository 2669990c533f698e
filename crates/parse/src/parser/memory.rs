//! What a parser has learned from the lines of its source, as data: part of the store's snapshots, so that replays that start there see the same.

use event::SourceDefinition;
use serde::{Deserialize, Serialize};

use super::Parser;
use crate::{intern, product, time::Zone};

/// The memory of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Seconds east of UTC of the last line that named its zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone_text: Option<[u8; 6]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pieces: Vec<(String, String)>,
    /// Whether the last record was a torn access row.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    torn: bool,
}

impl Parser {
    /// The definition that it was made for.
    pub fn definition(&self) -> &SourceDefinition {
        &self.definition
    }

    /// What it has learned.
    pub fn memory(&self) -> Memory {
        let zone = match self.zone {
            Zone::Near(offset) => Some(offset),
            _ => None,
        };
        Memory {
            zone,
            zone_text: zone.map(|_| self.zone_text),
            product: self.product.map(str::to_owned),
            version: self.version.as_deref().map(str::to_owned),
            pieces: self.pieces.clone(),
            torn: self.watch.open,
        }
    }

    /// Goes on from there.
    pub fn remember(&mut self, memory: &Memory) {
        if let Some(offset) = memory.zone.filter(|_| !self.zone_told) {
            self.zone = Zone::Near(offset);
            self.zone_text = memory.zone_text.unwrap_or_default();
        }
        if let Some(learned) = memory.product.as_deref().and_then(product::known) {
            self.product = Some(learned);
        }
        self.version = memory.version.as_deref().map(intern::text);
        self.pieces.clone_from(&memory.pieces);
        self.watch.open = memory.torn;
    }
}

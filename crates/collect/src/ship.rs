//! The other side of a source: what a store answers, in process or over a wire (FORMAT §4).

use event::{
    Batch, Generation, SourceDefinition, SourceId,
    identity::{IdentityKey, Known},
};

/// Why a batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShipError {
    /// The batch does not begin at the known end of its generation: go on from there.
    #[error("the store has this generation up to byte {stored}")]
    Position {
        /// The known end.
        stored: u64,
    },
    /// Intake is stopped for now (a nearly full disk): try again later, nothing is lost.
    #[error("intake is stopped: {0}")]
    Paused(String),
    /// The store has stopped for good.
    #[error("{0}")]
    Stopped(String),
}

/// A batch that was taken, not durable yet.
pub trait Shipped: Send {
    /// Waits until it is durable.
    fn wait(self: Box<Self>) -> Result<(), ShipError>;
}

/// What a source needs of a store.
pub trait Ship: Send + Sync {
    /// The key behind all marks of the store.
    fn identity_key(&self) -> IdentityKey;
    /// The known generations of a cluster.
    fn known(&self, cluster: &str) -> Vec<Known>;
    /// The stored records of a generation that end behind `from`: (byte_start, byte_end, stored bytes), in order.
    fn records_behind(&self, generation: Generation, from: u64) -> Vec<(u64, u64, Vec<u8>)>;
    /// The source of this definition: known by cluster, host and path, or new. Gives its id and the definition's version.
    fn define(&self, definition: &SourceDefinition) -> Result<(SourceId, u32), ShipError>;
    /// Takes a batch, in order per generation. Blocks while the queue is full.
    fn ship(&self, batch: Batch<'_>) -> Result<Box<dyn Shipped>, ShipError>;
}

//! Where `collect` and `server` meet: sources ship into the intake of a store in this process.

use std::sync::Arc;

use collect::{Ship, ShipError, Shipped};
use event::{
    Batch, Generation, SourceDefinition, SourceId,
    identity::{IdentityKey, Known},
};
use server::intake::Intake;
use store::{Store, StoreError, SubmitError, Ticket};

/// Ships into a store of this process.
pub struct Here {
    store: Arc<Store>,
    intake: Arc<Intake>,
    key: IdentityKey,
}

impl Here {
    /// In front of a store.
    pub fn new(store: Arc<Store>, intake: Arc<Intake>) -> Result<Self, StoreError> {
        let key = store.identity_key()?;
        Ok(Self { store, intake, key })
    }
}

struct OnItsWay(Ticket);

impl Shipped for OnItsWay {
    fn wait(self: Box<Self>) -> Result<(), ShipError> {
        self.0.wait().map(|_| ()).map_err(refused)
    }
}

fn refused(e: SubmitError) -> ShipError {
    match e {
        SubmitError::Position { stored } => ShipError::Position { stored },
        SubmitError::Paused(why) => ShipError::Paused(why),
        other => ShipError::Stopped(other.to_string()),
    }
}

impl Ship for Here {
    fn identity_key(&self) -> IdentityKey {
        self.key.clone()
    }
    fn known(&self, cluster: &str) -> Vec<Known> {
        self.store.known(cluster)
    }
    fn records_behind(&self, generation: Generation, from: u64) -> Vec<(u64, u64, Vec<u8>)> {
        // What cannot be read cannot be compared: the file is then a generation of its own, doubled rather than lost.
        self.store.records_behind(generation, from).unwrap_or_else(|e| {
            tracing::warn!(error = %e, "stored records cannot be compared with a file");
            Vec::new()
        })
    }
    fn define(&self, definition: &SourceDefinition) -> Result<(SourceId, u32), ShipError> {
        self.intake.define(definition).map_err(refused)
    }
    fn ship(&self, batch: Batch<'_>) -> Result<Box<dyn Shipped>, ShipError> {
        self.intake.take(&batch).map(|ticket| Box::new(OnItsWay(ticket)) as Box<dyn Shipped>).map_err(refused)
    }
}

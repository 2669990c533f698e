//! The detectors: one file a family, each a function of the pass and a place. Which place is whose stands in `sieve`.

pub(super) mod auth;
pub(super) mod card;
pub(super) mod email;
pub(super) mod hash;
pub(super) mod keys;
pub(super) mod options;
pub(super) mod params;
pub(super) mod pem;
pub(super) mod sql;
pub(super) mod tokens;
pub(super) mod url;

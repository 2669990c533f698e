//! Salts (FORMAT §5): a frame's, drawn anew so that single records can be erased later, and those that come from it.

use event::{Micros, clock::DAY, id::LogName};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{StoreError, init::random};

/// A salt serves at most this many records, or one frame.
pub const SALT_RECORDS_MAX: u64 = 4096;

/// The salt of the frames that are being numbered.
#[derive(Debug)]
pub(crate) struct FrameSalt {
    salt: [u8; 16],
    records: u64,
    day: i64,
}

impl FrameSalt {
    /// At a start.
    pub fn draw() -> Result<Self, StoreError> {
        Ok(Self { salt: random()?, records: 0, day: i64::MIN })
    }
    /// At a seal.
    pub fn renew(&mut self) -> Result<(), StoreError> {
        *self = Self::draw()?;
        Ok(())
    }
    /// For a frame of this many records. A new day gets a new salt, because the records of one salt stay in one file of one day.
    pub fn next(&mut self, records: u64, observed: Micros) -> Result<[u8; 16], StoreError> {
        let day = observed.div_euclid(DAY);
        if self.records >= SALT_RECORDS_MAX || (self.day != day && self.records > 0) {
            self.renew()?;
        }
        self.day = day;
        self.records += records;
        Ok(self.salt)
    }
}

/// HMAC-SHA-256(frame salt, log name), its first 16 bytes.
pub fn log_salt(frame_salt: &[u8; 16], log: &LogName) -> [u8; 16] {
    let mut salt = [0; 16];
    // An HMAC key may have any length, so the error cannot occur.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(frame_salt) {
        mac.update(log.to_string().as_bytes());
        salt.copy_from_slice(&mac.finalize().into_bytes()[..16]);
    }
    salt
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{LogClass, NodeId};

    #[test]
    fn a_salt_is_renewed_by_number_by_day_and_by_seal() {
        let mut salt = FrameSalt::draw().unwrap();
        let first = salt.next(4000, 0).unwrap();
        assert_eq!(salt.next(200, 1).unwrap(), first, "not yet 4,096 before this frame");
        let second = salt.next(1, 2).unwrap();
        assert_ne!(second, first);
        let third = salt.next(1, DAY).unwrap();
        assert_ne!(third, second);
        salt.renew().unwrap();
        assert_ne!(salt.next(1, DAY).unwrap(), third);
    }

    #[test]
    fn logs_of_a_frame_have_salts_of_their_own() {
        let log = |cluster: &str| LogName { node: NodeId(1), cluster: cluster.into(), class: LogClass::Server };
        assert_ne!(log_salt(&[1; 16], &log("a")), log_salt(&[1; 16], &log("b")));
        assert_eq!(log_salt(&[1; 16], &log("a")), log_salt(&[1; 16], &log("a")));
    }
}

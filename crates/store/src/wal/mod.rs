//! The write-ahead log: segments of frames (FORMAT §2).
//!
//! Owns: names of segments, reading them in order with a verdict on what is bad, and appending to the newest. Knows frames, not what they mean.

pub mod segment;
pub mod walk;
pub mod writer;

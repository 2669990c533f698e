//! Times and zones of log lines, scanned by hand. Owns: every time format that a log uses. Never reads a clock.

/// The zone of times without one.
#[derive(Debug, Clone, Default)]
pub enum Zone {
    /// Nothing is known: UTC, and the event says `zone_assumed`.
    #[default]
    Assumed,
    /// A fixed offset in seconds east of UTC.
    Fixed(i32),
    /// A named zone with its rules.
    Named(jiff::tz::TimeZone),
}

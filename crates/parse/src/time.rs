//! Times and zones of log lines, scanned by hand. Owns: every time format that a log uses. Never reads a clock.

//! Exit codes (DESIGN §5): part of the contract with scripts.

use std::fmt;

/// How a command ended, when it did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Findings, failed tests, tampering.
    Findings = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Not everything could be looked at.
    Partial = 3,
    /// The data is bad.
    BadData = 65,
    /// A peer or a store is not there.
    Unavailable = 69,
    /// Reading or writing failed.
    Io = 74,
    /// Refused.
    Refused = 77,
    /// The configuration or a rule is wrong.
    Config = 78,
}

/// An error that carries its exit code. Attach with [`ExitExt::exit`].
#[derive(Debug)]
pub struct Coded {
    /// The code of the process.
    pub exit: Exit,
    source: anyhow::Error,
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&told(&self.source))
    }
}

impl std::error::Error for Coded {}

/// Gives an error its exit code.
pub trait ExitExt<T> {
    /// The process ends with this code if the error reaches `main`.
    fn exit(self, exit: Exit) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> ExitExt<T> for Result<T, E> {
    fn exit(self, exit: Exit) -> anyhow::Result<T> {
        self.map_err(|e| Coded { exit, source: e.into() }.into())
    }
}

/// The code of an error: what was attached, else 74.
pub fn code(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Coded>().map_or(Exit::Io, |c| c.exit) as u8
}

/// An error with its causes, for a person. A cause whose words stand in what it caused is not said again.
pub fn told(error: &anyhow::Error) -> String {
    error
        .chain()
        .skip(1)
        .map(ToString::to_string)
        .fold(error.to_string(), |said, cause| if said.contains(&cause) { said } else { format!("{said}: {cause}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("opening x: {source}")]
        struct Opening {
            source: std::io::Error,
        }
        let error = anyhow::Error::from(Opening { source: std::io::Error::other("no such thing") }).context("reading the rules");
        assert_eq!(told(&error), "reading the rules: opening x: no such thing");
        let coded = Err::<(), _>(error).exit(Exit::Config).unwrap_err();
        assert_eq!((told(&coded).as_str(), code(&coded)), ("reading the rules: opening x: no such thing", 78));
    }
}

//! What can go wrong when somebody asks a question, said so that the asker can mend it.

use std::path::PathBuf;

use datafusion::{arrow::error::ArrowError, error::DataFusionError};

/// Who has to act: decides exit codes and HTTP statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The question is wrong (exit 65, HTTP 400).
    Question,
    /// The question is not allowed here: it would write, or runs over a limit (exit 77, HTTP 422).
    Refused,
    /// The store cannot be read (exit 74, HTTP 500).
    Store,
}

/// An error of the engine. The message says what failed, shows the asker's own words and says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The text is not SQL, or names what is not there.
    #[error("reading the SQL {sql:?}: {problem}{}", hint(.advice))]
    Sql {
        /// The asker's SQL, cut to [`SHOWN_CHARS`].
        sql: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead; empty if nobody knows.
        advice: String,
    },
    /// The statement is no question.
    #[error("refusing the SQL {sql:?}: {problem}; a query only reads: use SELECT, EXPLAIN, SHOW or DESCRIBE")]
    NotReadOnly {
        /// The asker's SQL, cut to [`SHOWN_CHARS`].
        sql: String,
        /// What it would have done.
        problem: String,
    },
    /// The text is not in the search language.
    #[error("reading the search {text:?}: {problem}{}", hint(.advice))]
    Search {
        /// The asker's words.
        text: String,
        /// What is wrong with them.
        problem: String,
        /// What to write instead; empty if nobody knows.
        advice: String,
    },
    /// A limit was reached.
    #[error("stopping the query: {limit} reached; {advice}")]
    Limit {
        /// Which limit, with its value.
        limit: String,
        /// How to ask for less, or get more.
        advice: &'static str,
    },
    /// A value for which there is no answer.
    #[error("computing the answer: {0}; leave such rows out with WHERE, or use nullif, try_cast or CASE")]
    Value(String),
    /// The engine failed over data that should be good.
    #[error("running the query: {0}")]
    Run(String),
    /// A store that cannot be opened or read.
    #[error("reading the store {path}: {problem}")]
    Store {
        /// The data folder.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

/// At most this much of the asker's text is repeated in a message.
const SHOWN_CHARS: usize = 200;

fn hint(advice: &str) -> String {
    if advice.is_empty() { String::new() } else { format!("; {advice}") }
}

impl QueryError {
    /// Who has to act.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Sql { .. } | Self::Search { .. } | Self::Value(_) => Blame::Question,
            Self::NotReadOnly { .. } | Self::Limit { .. } => Blame::Refused,
            Self::Run(_) | Self::Store { .. } => Blame::Store,
        }
    }

    /// The exit code of DESIGN §5.
    pub fn exit(&self) -> u8 {
        match self.blame() {
            Blame::Question => 65,
            Blame::Refused => 77,
            Blame::Store => 74,
        }
    }

    pub(crate) fn search(text: &str, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Search { text: shown(text), problem: problem.into(), advice: advice.into() }
    }
}

/// The asker's text as messages repeat it.
pub(crate) fn shown(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

/// An error of the engine's library while the statement was read and planned, in our words.
pub(crate) fn planning(sql: &str, error: &DataFusionError, names: &[String]) -> QueryError {
    let sql_shown = shown(sql);
    match root(error) {
        DataFusionError::SQL(e, _) => QueryError::Sql {
            sql: sql_shown,
            problem: e.to_string().trim_start_matches("sql parser error: ").to_owned(),
            advice: grammar_advice(sql),
        },
        other => {
            let problem = first_line(&other.strip_backtrace());
            let advice = name_advice(&problem, names);
            QueryError::Sql { sql: sql_shown, problem, advice }
        }
    }
}

/// An error of the engine's library while it ran, in our words.
pub(crate) fn running(error: &DataFusionError, memory: usize) -> QueryError {
    match root(error) {
        DataFusionError::ResourcesExhausted(_) => QueryError::Limit {
            limit: format!("the memory of {} MiB", memory >> 20),
            advice: "name the columns instead of *, add a WHERE on time, or a LIMIT behind ORDER BY",
        },
        DataFusionError::ArrowError(e, _)
            if matches!(
                **e,
                ArrowError::DivideByZero | ArrowError::ArithmeticOverflow(_) | ArrowError::CastError(_) | ArrowError::ParseError(_)
            ) =>
        {
            QueryError::Value(first_line(&e.to_string()))
        }
        other => QueryError::Run(first_line(&other.strip_backtrace())),
    }
}

/// The error below contexts, collections and shared pointers.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => root(inner),
        DataFusionError::Shared(inner) => root(inner),
        DataFusionError::Collection(all) => all.first().map_or(error, root),
        _ => error,
    }
}

fn first_line(text: &str) -> String {
    let text = ["Error during planning: ", "Schema error: ", "Execution error: ", "External error: ", "Arrow error: "]
        .iter()
        .fold(text.trim(), |t, prefix| t.strip_prefix(prefix).unwrap_or(t));
    let line = text.lines().next().unwrap_or_default();
    // The list of every valid field is longer than a screen: our own "did you mean" stands for it.
    line.split("Valid fields are").next().unwrap_or(line).trim().trim_end_matches('.').to_owned()
}

fn grammar_advice(sql: &str) -> String {
    let first = sql.split_whitespace().next().unwrap_or_default();
    match closest(&first.to_lowercase(), ["select", "with", "explain", "show", "describe"].into_iter()) {
        Some(word) if !first.eq_ignore_ascii_case(word) => format!("did you mean {}?", word.to_uppercase()),
        _ => String::new(),
    }
}

fn name_advice(problem: &str, names: &[String]) -> String {
    // DataFusion writes the unknown name as `No field named usr.`, `table 'datafusion.public.evnts' not found`, `Invalid function 'x'`.
    let word = ["No field named ", "table '", "Invalid function '"]
        .iter()
        .find_map(|lead| problem.split(lead).nth(1))
        .map(|rest| rest.split(['\'', ' ', ',']).next().unwrap_or_default().trim_matches(['"', '.']))
        .map(|name| name.rsplit('.').next().unwrap_or(name).trim_matches('"'))
        .unwrap_or_default();
    match closest(&word.to_lowercase(), names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean {name}?"),
        None if word.is_empty() => String::new(),
        None => "SHOW TABLES and DESCRIBE events list what there is".to_owned(),
    }
}

/// The name that somebody most likely meant.
pub(crate) fn closest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let bar = if word.len() < 4 { 1 } else { 2 };
    let near = names.map(|n| (strsim::osa_distance(word, n), n)).filter(|(d, _)| *d <= bar);
    near.min_by_key(|(d, _)| *d).map(|(_, n)| n)
}

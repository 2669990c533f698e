//! The four shapes of data on standard output: table, json, jsonl, csv (DESIGN §5).

use std::{
    borrow::Cow,
    io::{self, BufWriter, IsTerminal as _, StdoutLock, Write as _},
};

use serde_json::{Map, Value};

use super::Globals;

/// The shape of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated with a header
    Csv,
}

impl Globals {
    /// The shape asked for, else table on a terminal and JSON Lines in a pipe.
    pub fn format(&self) -> Format {
        self.output.unwrap_or(if io::stdout().is_terminal() { Format::Table } else { Format::Jsonl })
    }
}

/// Whether colors may be used there: on a terminal whose owner did not refuse them (no-color.org).
pub fn colors(to: &impl io::IsTerminal) -> bool {
    to.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Text without the colors that it was written with.
pub fn plain(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').map_or(part, |(_, rest)| rest))
}

/// Writes rows in the chosen shape. Rows are JSON objects; `finish` must be called.
pub struct Output {
    format: Format,
    out: BufWriter<StdoutLock<'static>>,
    columns: Vec<String>,
    table: Vec<Map<String, Value>>,
    rows: usize,
    terminal: bool,
}

impl Output {
    /// `columns` fixes the columns and their order; empty takes those of the first row.
    pub fn new(format: Format, columns: Vec<String>) -> Self {
        Self {
            format,
            out: BufWriter::with_capacity(1 << 16, io::stdout().lock()),
            columns,
            table: Vec::new(),
            rows: 0,
            terminal: io::stdout().is_terminal(),
        }
    }
    /// A row that is JSON text already: the fast path of JSON Lines.
    pub fn line(&mut self, json: &str) -> anyhow::Result<()> {
        if self.format == Format::Jsonl {
            self.out.write_all(json.as_bytes())?;
            self.out.write_all(b"\n")?;
            self.rows += 1;
            return Ok(());
        }
        self.row(serde_json::from_str(json)?)
    }
    /// One row.
    pub fn row(&mut self, row: Map<String, Value>) -> anyhow::Result<()> {
        if self.columns.is_empty() {
            self.columns = row.keys().cloned().collect();
        }
        match self.format {
            Format::Jsonl => {
                serde_json::to_writer(&mut self.out, &row)?;
                self.out.write_all(b"\n")?;
            }
            Format::Json => {
                self.out.write_all(if self.rows == 0 { b"[\n" } else { b",\n" })?;
                serde_json::to_writer(&mut self.out, &row)?;
            }
            Format::Csv => {
                if self.rows == 0 {
                    let header: Vec<String> = self.columns.iter().map(|c| csv_cell(c)).collect();
                    writeln!(self.out, "{}", header.join(","))?;
                }
                let cells: Vec<String> = self.columns.iter().map(|c| csv_cell(&self.shown(&cell(row.get(c))))).collect();
                writeln!(self.out, "{}", cells.join(","))?;
            }
            Format::Table => self.table.push(row),
        }
        self.rows += 1;
        Ok(())
    }
    /// Text as it may be shown: a terminal gets nothing that acts on it, a file gets what there is.
    fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.terminal { Cow::Owned(printable(text)) } else { Cow::Borrowed(text) }
    }
    /// What is written so far leaves now: for a reader that follows.
    pub fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }
    /// Ends the data.
    pub fn finish(mut self) -> anyhow::Result<()> {
        match self.format {
            Format::Json => self.out.write_all(if self.rows == 0 { b"[]\n" } else { b"\n]\n" })?,
            Format::Csv if self.rows == 0 && !self.columns.is_empty() => {
                let header: Vec<String> = self.columns.iter().map(|c| csv_cell(c)).collect();
                writeln!(self.out, "{}", header.join(","))?;
            }
            Format::Table if self.rows > 0 => {
                let mut table = comfy_table::Table::new();
                table
                    .load_style(comfy_table::presets::UTF8_FULL_CONDENSED)
                    .set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
                table.set_header(&self.columns);
                for row in &self.table {
                    table.add_row(self.columns.iter().map(|c| printable(&cell(row.get(c)))));
                }
                writeln!(self.out, "{table}")?;
            }
            _ => {}
        }
        Ok(self.out.flush()?)
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(s)) => s.clone(),
        Some(v) => v.to_string(),
    }
}

/// What a log line holds must not act on a terminal, hide or reorder; only its lines stay.
fn printable(text: &str) -> String {
    text.split('\n').map(alert::text::visible).collect::<Vec<_>>().join("\n")
}

fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A reader that went away (`| head`) is no error.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|e| e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}

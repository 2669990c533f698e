//! Blocks of TiDB's slow log: `# Time: ..`, lines of `# Key: value`, then the statement (tidb.md §1.3).
//!
//! Owns: which key's value ends where. A block that server lines interrupt arrives as pieces; each piece gives what it holds. What stands behind the
//! first line that is no header is the statement, whatever it looks like: a header inside a statement is never believed.

use std::borrow::Cow;

use event::{Event, Issue, Value};
use memchr::memchr;

use super::{Context, FIELDS_MAX, Format, LineFormat};
use crate::{names::Names, time};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Slow, recognize: |b| b.starts_with(b"# "), parse };

/// Keys whose value is the rest of their line, whatever it holds.
static WHOLE_LINE: Names = Names::new(&[
    "Time",
    "User@Host",
    "User",
    "Plan",
    "Binary_plan",
    "Prev_stmt",
    "Warnings",
    "Session_connect_attrs",
    "Session_alias",
    "Stats",
    "DB",
    "Keyspace_name",
    "Resource_group",
    "Request_unit_v2_detail",
    "Index_names",
]);

/// Keys with which a line of TiDB's own begins: a piece of a block must begin with one, and any of them proves the product.
const LEADING: &[&str] = &[
    "Txn_start_ts",
    "Keyspace_name",
    "Conn_ID",
    "Session_alias",
    "Exec_retry_time",
    "Parse_time",
    "Compile_time",
    "Rewrite_time",
    "Optimize_time",
    "Wait_TS",
    "LockKeys_time",
    "Prewrite_time",
    "DB",
    "Index_names",
    "Index_ids",
    "Is_internal",
    "Is_tiflash",
    "Digest",
    "Stats",
    "Num_cop_tasks",
    "Mem_max",
    "Mem_arbitration",
    "Disk_max",
    "Memory_max",
    "Prepared",
    "Plan",
    "Plan_from_cache",
    "Plan_from_binding",
    "Plan_digest",
    "Binary_plan",
    "Has_more_results",
    "KV_total",
    "PD_total",
    "Backoff_total",
    "Write_sql_response_total",
    "Result_rows",
    "Warnings",
    "Succ",
    "IsExplicitTxn",
    "IsSyncStatsFailed",
    "IsWriteCacheTable",
    "Resource_group",
    "Time_queued_by_rc",
    "Session_connect_attrs",
    "Prev_stmt",
];

/// Families of such keys.
const LEADING_FAMILIES: &[&str] = &["Cop_", "Rocksdb_", "Unpacked_bytes_", "Request_unit_", "Tidb_cpu_", "Tikv_cpu_", "Storage_from_"];

/// Keys that say who did what: repeated, the first wins and the block is marked. (`Request_count` honestly stands there twice.)
static IDENTITY: Names = Names::new(&["User@Host", "User", "Conn_ID", "DB", "Digest", "Query_time", "Succ", "Is_internal", "Txn_start_ts"]);

/// Room for the fields of nearly every block.
const FIELDS_USUAL: usize = 32;

fn is_leading(key: &str) -> bool {
    LEADING.contains(&key) || LEADING_FAMILIES.iter().any(|f| key.starts_with(f))
}

fn parse<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    let Some((first, value)) = text.strip_prefix("# ").and_then(key) else { return false };
    if !(first == "Time" && time::scan(value).is_some() || matches!(first, "User@Host" | "Query_time" | "Time") || is_leading(first)) {
        return false;
    }
    event.stream = Some(Cow::Borrowed("slow"));
    event.fields.reserve(FIELDS_USUAL);
    let mut rest = text;
    let mut identity = 0_u16;
    while let Some(line) = rest.strip_prefix("# ") {
        let (line, behind) = split_line(line);
        let Some(first) = key(line) else { break };
        header(first, event, context, &mut identity);
        rest = behind;
    }
    statement(rest, event);
    true
}

/// The first line without its end, and what follows.
fn split_line(text: &str) -> (&str, &str) {
    let (line, behind) = memchr(b'\n', text.as_bytes()).map_or((text, ""), |at| (&text[..at], &text[at + 1..]));
    (line.strip_suffix('\r').unwrap_or(line), behind)
}

/// The key at the start of `text` (`Query_time: `), and what follows it.
fn key(text: &str) -> Option<(&str, &str)> {
    let b = text.as_bytes();
    let len = b.iter().take_while(|c| KEY[usize::from(**c)]).count();
    if len == 0 || b[0].is_ascii_digit() || b.get(len) != Some(&b':') || !matches!(b.get(len + 1), None | Some(b' ')) {
        return None;
    }
    Some((&text[..len], text.get(len + 2..).unwrap_or("")))
}

/// Bytes of a key.
static KEY: [bool; 256] = {
    let (mut table, mut c) = ([false; 256], 0);
    while c < table.len() {
        table[c] = (c as u8).is_ascii_alphanumeric() || matches!(c as u8, b'_' | b'@');
        c += 1;
    }
    table
};

/// A line from its first key on.
fn header<'r>(first: (&'r str, &'r str), event: &mut Event<'r>, context: &Context<'_>, identity: &mut u16) {
    let mut next = Some(first);
    while let Some((name, behind)) = next {
        let (value, rest) = value(name, behind);
        next = key(rest);
        if name == "Time" && event.time.is_none() {
            match time::scan(value).filter(|s| s.len == value.len()) {
                Some(stamp) => {
                    stamp.put(event, context.zone);
                    continue;
                }
                None => event.mark(Issue::BadTime),
            }
        }
        if let Some(bit) = IDENTITY.position(name) {
            if *identity & (1 << bit) != 0 {
                event.mark(Issue::RepeatedKey);
            }
            *identity |= 1 << bit;
        }
        if event.product.is_none() && is_leading(name) {
            event.product = Some(Cow::Borrowed("tidb"));
        }
        if event.fields.len() >= FIELDS_MAX {
            event.mark(Issue::Unparsed);
            return;
        }
        event.fields.push((Cow::Borrowed(name), Value::Text(Cow::Borrowed(value))));
    }
}

/// The value at the start of `text`, and the next key of the line, if there is one.
fn value<'r>(name: &str, text: &'r str) -> (&'r str, &'r str) {
    if WHOLE_LINE.contains(name) {
        return (text.trim_end(), "");
    }
    // Lists and details hold blanks and colons of their own.
    let mut from = if text.starts_with(['[', '{']) { balanced(text) } else { 0 };
    let b = text.as_bytes();
    while let Some(at) = memchr(b' ', &b[from..]).map(|i| from + i) {
        if key(&text[at + 1..]).is_some() {
            return (text[..at].trim_end(), &text[at + 1..]);
        }
        from = at + 1;
    }
    (text.trim_end(), "")
}

/// Behind the bracket that closes the one at the start; the end where none does.
fn balanced(text: &str) -> usize {
    let mut depth = 0_usize;
    for (i, c) in text.bytes().enumerate() {
        match c {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    text.len()
}

/// `use db;` where the session changed it, `SET timestamp=N;` (MySQL's habit), then the statement to the end.
fn statement<'r>(text: &'r str, event: &mut Event<'r>) {
    let mut rest = text.trim_start();
    for (prefix, name) in [("use ", "use"), ("SET timestamp=", "SET timestamp")] {
        let (line, behind) = split_line(rest);
        let simple = line.get(..prefix.len()).is_some_and(|p| p.eq_ignore_ascii_case(prefix)) && !behind.trim().is_empty();
        if let Some(value) = line.strip_suffix(';').filter(|_| simple)
            && !value.contains(';')
        {
            event.fields.push((Cow::Borrowed(name), Value::Text(Cow::Borrowed(value[prefix.len()..].trim_matches([' ', '`'])))));
            rest = behind.trim_start();
        }
    }
    let sql = rest.trim_end();
    let sql = sql.strip_suffix(';').unwrap_or(sql);
    let sql = match uncut(sql) {
        Some(sql) => {
            event.mark(Issue::Truncated);
            sql
        }
        None => sql,
    };
    event.statement = Some(sql).filter(|s| !s.is_empty()).map(Cow::Borrowed);
}

/// The statement without the `(len:N)` that the server puts behind one that it cut.
fn uncut(sql: &str) -> Option<&str> {
    let digits = sql.strip_suffix(')')?.trim_end_matches(|c: char| c.is_ascii_digit());
    let cut = digits.strip_suffix("(len:")?;
    (digits.len() + 1 < sql.len()).then_some(cut)
}

#[cfg(test)]
mod tests;

//! docs/specs/events.md, row by row: a line in, columns out, through the real parser.

mod audit;
mod pd;
mod slow;
mod tidb;
mod tikv;
mod tiproxy;

use event::{Event, Field, FieldRef, RecordFlags, SourceDefinition, field::Column};

use crate::Parser;

/// A line, `action status` (`-` for none), and columns or `fields.x`; `-` is null.
pub(super) type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// The event of one record.
fn parse<'r>(component: &str, record: &'r str) -> Event<'r> {
    let definition = SourceDefinition { component: Some(component.to_owned()), ..SourceDefinition::default() };
    Parser::new(&definition).parse(record.as_bytes(), RecordFlags::default())
}

/// What a rule sees of a field.
pub(super) fn seen(event: &Event<'_>, name: &str) -> String {
    match Field::parse(name).unwrap_or_else(|| panic!("no field {name}")).get(event) {
        FieldRef::Missing => "-".to_owned(),
        FieldRef::Text(t) => t.to_owned(),
        FieldRef::Number(n) => n.to_string(),
        FieldRef::Issues(list) => list.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        FieldRef::List(list) => list.join(","),
    }
}

/// Columns that a line of these products fills only where a case says so: a case must name all of them.
const STRICT: &[Column] = &[
    Column::User,
    Column::TargetUser,
    Column::Role,
    Column::Privilege,
    Column::AuthMethod,
    Column::Client,
    Column::SrcIp,
    Column::SrcPort,
    Column::SrcHost,
    Column::DstIp,
    Column::DstPort,
    Column::Database,
    Column::Object,
    Column::Statement,
    Column::Digest,
    Column::ConnId,
    Column::TxnTs,
    Column::DurationUs,
    Column::Rows,
    Column::ErrorCode,
    Column::Error,
];

/// Checks cases; a line without a header gets one.
fn check(component: &str, cases: &[Case]) {
    for (line, outcome, columns) in cases {
        let whole = if line.starts_with("[2") || !line.starts_with('[') {
            (*line).to_owned()
        } else {
            format!("[2026/03/02 10:00:00.120 +00:00] [WARN] [x.go:7] {line}")
        };
        let event = parse(component, &whole);
        let status = event.status.map_or("-", event::Status::as_str);
        let found = if event.action().is_none() && event.status.is_none() {
            "-".to_owned()
        } else {
            format!("{} {status}", event.action().unwrap_or("-"))
        };
        assert_eq!(found, *outcome, "{line}\n{event:#?}");
        for (name, want) in *columns {
            assert_eq!(seen(&event, name), *want, "{name} of {line}\n{event:#?}");
        }
        for column in STRICT.iter().filter(|c| !columns.iter().any(|(name, _)| *name == c.name())) {
            assert_eq!(column.get(&event), FieldRef::Missing, "{} of {line}", column.name());
        }
    }
}

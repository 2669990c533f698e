//! Reads one log from standard input and prints one event a record as JSON: the parser without any store, for trying a format out.
//!
//! `cargo run -p parse --example lines -- [COMPONENT] < FILE`; with `--time` it prints how fast it was instead.

use std::io::{self, Read as _, Write as _};

use event::{Derive as _, LogClass, RecordMeta, Redactor, SourceDefinition, json::push_event};
use parse::{Deriver, End, Framer, framing::body, vote};

fn main() -> io::Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let timed = arguments.iter().position(|a| a == "--time").map(|i| arguments.remove(i)).is_some();
    let mut data = Vec::new();
    io::stdin().lock().read_to_end(&mut data)?;
    let component = arguments.first().cloned();
    let voted = vote(&data, component.as_deref(), None).map(str::to_owned);
    let definition = SourceDefinition { component, voted, ..SourceDefinition::default() };
    let started = std::time::Instant::now();
    let records = print(&data, &definition, if timed { None } else { Some(io::stdout().lock()) })?;
    if timed {
        let seconds = started.elapsed().as_secs_f64();
        eprintln!("{records} records, {:.1} MB/s", data.len() as f64 / seconds / 1e6);
    }
    Ok(())
}

/// Frames, redacts, derives; prints where it is told to.
fn print(data: &[u8], definition: &SourceDefinition, out: Option<impl io::Write>) -> io::Result<usize> {
    let mut out = out.map(io::BufWriter::new);
    let (mut framer, mut deriver, redactor) = (Framer::new(), Deriver::default(), Redactor::default());
    let (mut at, mut records, mut line) = (0, 0, String::new());
    while let Some(span) = framer.next(&data[at..], End::Closed) {
        let stored = redactor.redact(body(&data[at..at + span.len]));
        let (byte_start, byte_end) = (at as u64, (at + span.len) as u64);
        let meta = RecordMeta { byte_start, byte_end, flags: span.flags, ..RecordMeta::default() };
        let event = deriver.derive(definition, &meta, LogClass::Server, &format_args!("stdin:{at}"), stored.as_bytes());
        if let Some(out) = &mut out {
            line.clear();
            push_event(&mut line, &event);
            line.push('\n');
            out.write_all(line.as_bytes())?;
        } else {
            std::hint::black_box(&event);
        }
        at += span.len;
        records += 1;
    }
    if let Some(mut out) = out {
        out.flush()?;
    }
    Ok(records)
}

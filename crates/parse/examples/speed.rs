//! How fast frames and lines become events: MB/s of one core for each stage, over given files, each repeated until it has taken long enough.
//!
//! `cargo run --profile bench -p parse --example speed -- COMPONENT=FILE..`; the yardstick is zstd -3 in the same run. `--only STAGE`
//! runs one stage alone, for a profiler.

use std::{hint::black_box, io, time::Instant};

use event::{Redactor, SourceDefinition};
use parse::{End, Framer, Parser, Span, framing::body, vote};

/// Each stage of each file runs at least this long.
const SECONDS_MIN: f64 = 1.0;

struct File {
    name: String,
    data: Vec<u8>,
    definition: SourceDefinition,
    spans: Vec<(usize, Span)>,
}

fn open(argument: &str) -> io::Result<File> {
    let (component, path) = argument.split_once('=').unwrap_or(("", argument));
    let data = std::fs::read(path)?;
    let component = Some(component.to_owned()).filter(|c| !c.is_empty());
    let voted = vote(&data, component.as_deref(), None).map(str::to_owned);
    let spans = frames(&data);
    let name = path.rsplit('/').take(2).collect::<Vec<_>>().join(" of ");
    Ok(File { name, data, definition: SourceDefinition { component, voted, ..SourceDefinition::default() }, spans })
}

fn frames(data: &[u8]) -> Vec<(usize, Span)> {
    let (mut framer, mut at, mut spans) = (Framer::new(), 0, Vec::new());
    while let Some(span) = framer.next(&data[at..], End::Closed) {
        spans.push((at, span));
        at += span.len;
    }
    spans
}

/// Work on a whole file.
type Stage = fn(&File);

/// The stages, alone and together.
const STAGES: &[(&str, Stage)] =
    &[("lines", lines), ("zstd-3", zstd_3), ("frame", frame), ("parse", parse), ("redact", redact), ("all", all)];

/// The yardstick: the same bytes through `zstd -3`.
fn zstd_3(file: &File) {
    black_box(zstd::bulk::compress(&file.data, 3).map_or(0, |packed| packed.len()));
}

/// A bare scan for line ends: what cannot be beaten.
fn lines(file: &File) {
    black_box(memchr::memchr_iter(b'\n', &file.data).count());
}

fn frame(file: &File) {
    black_box(frames(&file.data).len());
}

fn parse(file: &File) {
    let mut parser = Parser::new(&file.definition);
    for (at, span) in &file.spans {
        black_box(&parser.parse(&file.data[*at..at + span.len], span.flags));
    }
}

fn redact(file: &File) {
    let redactor = Redactor::default();
    for (at, span) in &file.spans {
        black_box(&redactor.redact(body(&file.data[*at..at + span.len])));
    }
}

fn all(file: &File) {
    let (mut framer, mut at) = (Framer::new(), 0);
    let (redactor, mut parser) = (Redactor::default(), Parser::new(&file.definition));
    while let Some(span) = framer.next(&file.data[at..], End::Closed) {
        let stored = redactor.redact(body(&file.data[at..at + span.len]));
        black_box(&parser.parse(stored.as_bytes(), span.flags));
        at += span.len;
    }
}

/// Megabytes a second of one stage, by the best round: other work on the machine only ever slows one down.
fn measure(file: &File, stage: Stage) -> f64 {
    let (started, mut best) = (Instant::now(), f64::INFINITY);
    while started.elapsed().as_secs_f64() < SECONDS_MIN {
        let round = Instant::now();
        stage(file);
        best = best.min(round.elapsed().as_secs_f64());
    }
    file.data.len() as f64 / best / 1e6
}

fn main() -> io::Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let only = arguments.iter().position(|a| a == "--only").map(|i| {
        arguments.remove(i);
        if i < arguments.len() { arguments.remove(i) } else { String::new() }
    });
    for argument in &arguments {
        let file = open(argument)?;
        print!("{:40} {:8} records {:6.1} KB", file.name, file.spans.len(), file.data.len() as f64 / 1e3);
        for (name, stage) in STAGES.iter().filter(|(n, _)| only.as_ref().is_none_or(|o| o == n)) {
            print!("  {name} {:.0}", measure(&file, *stage));
        }
        println!("  MB/s");
    }
    Ok(())
}

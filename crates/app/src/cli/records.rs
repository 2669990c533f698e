//! From log files to events without a store: what `parse` and `detect` read with. Owns: opening, framing, the gate and the derivation, in that order.
//!
//! Nothing reaches a caller that has not passed the redactor. [`each`] reads one file after the other; [`merged`] side by side by event time, as an
//! import does.

use std::{
    fmt,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use anyhow::Context as _;
use collect::{Ship, ShipError, Shipped, feed::Feed, import, open};
use event::{
    Batch, Derive as _, Event, Generation, LogClass, RecordMeta, Redactor, SourceDefinition, SourceId,
    identity::{IdentityKey, Known},
};
use parse::{Deriver, End};

use super::source_args::SourceArgs;
use crate::exit::{Exit, ExitExt as _};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// Where an event stood: `file:offset` is its name.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// The path as it was given; `-` for standard input.
    pub file: &'p str,
    /// First byte, decompressed.
    pub offset: u64,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

/// Who takes the events.
pub trait Sink {
    /// One event, in order.
    fn event(&mut self, event: &Event<'_>, place: Place<'_>) -> anyhow::Result<()>;
    /// All that was there is handed out, more may come: a pipe that somebody follows.
    fn pause(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}

impl<F: FnMut(&Event<'_>, Place<'_>) -> anyhow::Result<()>> Sink for F {
    fn event(&mut self, event: &Event<'_>, place: Place<'_>) -> anyhow::Result<()> {
        self(event, place)
    }
}

/// Compressed files that could be read only in part, and why.
pub type Damaged = Vec<(PathBuf, String)>;

/// What a command that could not read some files to their ends ends with: exit 65. `kept` says what became of the readable part.
pub fn all_read(doing: &str, damaged: &Damaged, kept: &str) -> anyhow::Result<()> {
    if damaged.is_empty() {
        return Ok(());
    }
    let files: Vec<String> = damaged.iter().map(|(path, why)| format!("{} ({why})", path.display())).collect();
    Err(anyhow::anyhow!("{doing} {}: the compressed data is damaged or ends early; {kept}", files.join(", "))).exit(Exit::BadData)
}

/// One after the other, in the order given. `-` is standard input.
pub fn each(files: &[PathBuf], told: &SourceDefinition, redactor: &Redactor, sink: &mut impl Sink) -> anyhow::Result<Damaged> {
    let (mut deriver, mut damaged) = (Deriver::default(), Damaged::new());
    for (i, path) in files.iter().enumerate() {
        let (name, source) = (path.to_string_lossy(), source_id(i));
        if name == "-" {
            let mut input = io::stdin().lock();
            Lane { file: "-", source, deriver: &mut deriver, redactor, live: true }.read(&mut input, told.clone(), sink)?;
        } else {
            let mut input = open_file(path)?;
            let definition = SourceArgs::of_file(told, path);
            Lane { file: &name, source, deriver: &mut deriver, redactor, live: false }.read(&mut input, definition, sink)?;
            damaged.extend(input.damage().map(|why| (path.clone(), why.to_owned())));
        }
    }
    Ok(damaged)
}

/// Opens a file, packed or plain.
fn open_file(path: &Path) -> anyhow::Result<open::Reader> {
    open::open(path).with_context(|| format!("reading {}", path.display())).exit(Exit::Io)
}

/// One file on its way.
struct Lane<'l> {
    file: &'l str,
    source: SourceId,
    deriver: &'l mut Deriver,
    redactor: &'l Redactor,
    live: bool,
}

impl Lane<'_> {
    fn read(&mut self, input: &mut dyn Read, definition: SourceDefinition, sink: &mut impl Sink) -> anyhow::Result<()> {
        let (mut feed, mut buf, mut at) = (Feed::new(), vec![0; CHUNK_BYTES], 0);
        let mut n = self.chunk(input, &mut buf)?;
        let voted = parse::vote(&buf[..n], definition.component.as_deref(), definition.path.as_deref()).map(str::to_owned);
        let definition = SourceDefinition { voted, ..definition };
        while n > 0 {
            feed.push(&buf[..n]);
            at = self.derive(&mut feed, End::Open, &definition, at, sink)?;
            if self.live {
                sink.pause()?;
            }
            n = self.chunk(input, &mut buf)?;
        }
        self.derive(&mut feed, End::Closed, &definition, at, sink).map(drop)
    }

    fn chunk(&self, input: &mut dyn Read, buf: &mut [u8]) -> anyhow::Result<usize> {
        loop {
            match input.read(buf) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return other.with_context(|| format!("reading {}", self.file)).exit(Exit::Io),
            }
        }
    }

    /// Hands out what is complete; gives where it ends.
    fn derive(
        &mut self,
        feed: &mut Feed,
        end: End,
        definition: &SourceDefinition,
        mut at: u64,
        sink: &mut impl Sink,
    ) -> anyhow::Result<u64> {
        feed.scan(end, self.redactor);
        let ready = feed.ready(end == End::Closed);
        for record in feed.records(ready, self.redactor) {
            let byte_end = at + u64::from(record.original_len);
            let place = Place { file: self.file, offset: at };
            let (source, generation) = (self.source, Generation(self.source.0));
            let meta = RecordMeta { source, generation, byte_start: at, byte_end, flags: record.flags, ..RecordMeta::default() };
            sink.event(&self.deriver.derive(definition, &meta, LogClass::Server, &place, record.stored.as_bytes()), place)?;
            at = byte_end;
        }
        feed.consume(ready);
        Ok(at)
    }
}

/// Side by side, merged by event time; a file with content that another one has adds nothing.
pub fn merged(
    files: &[PathBuf],
    told: &SourceDefinition,
    redactor: &Redactor,
    event: impl FnMut(&Event<'_>, Place<'_>) -> anyhow::Result<()> + Send,
) -> anyhow::Result<Damaged> {
    let wanted: Vec<import::Wanted> =
        files.iter().map(|path| import::Wanted { path: path.clone(), definition: SourceArgs::of_file(told, path), whole: false }).collect();
    let state = Merging { deriver: Deriver::default(), event, sources: Vec::new(), failed: None };
    let ship = DerivingShip(Mutex::new(state));
    let done = import::import(&wanted, &ship, redactor, &mut Quiet);
    let failed = ship.0.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).failed;
    failed.map_or(Ok(()), Err)?;
    done.map(|done| done.damaged).exit(Exit::Io)
}

/// A store that keeps nothing: it derives each record as it comes, and hands the event on.
struct DerivingShip<F>(Mutex<Merging<F>>);

struct Merging<F> {
    deriver: Deriver,
    event: F,
    sources: Vec<(Arc<SourceDefinition>, String)>,
    failed: Option<anyhow::Error>,
}

struct Taken;

impl Shipped for Taken {
    fn wait(self: Box<Self>) -> Result<(), ShipError> {
        Ok(())
    }
}

/// The number of a source is its id.
fn source_id(number: usize) -> SourceId {
    let mut id = SourceId::default();
    id.0[..8].copy_from_slice(&(number as u64).to_be_bytes());
    id
}

impl<F: FnMut(&Event<'_>, Place<'_>) -> anyhow::Result<()> + Send> Ship for DerivingShip<F> {
    fn identity_key(&self) -> IdentityKey {
        IdentityKey::new([0; 32])
    }
    fn known(&self, _cluster: &str) -> Vec<Known> {
        Vec::new()
    }
    fn records_behind(&self, _generation: Generation, _from: u64) -> Vec<(u64, u64, Vec<u8>)> {
        Vec::new()
    }
    fn define(&self, definition: &SourceDefinition) -> Result<(SourceId, u32), ShipError> {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let path = definition.path.clone().unwrap_or_default();
        state.sources.push((Arc::new(definition.clone()), path));
        Ok((source_id(state.sources.len() - 1), 1))
    }
    fn ship(&self, batch: Batch<'_>) -> Result<Box<dyn Shipped>, ShipError> {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.take(batch)
    }
}

impl<F: FnMut(&Event<'_>, Place<'_>) -> anyhow::Result<()>> Merging<F> {
    fn take(&mut self, batch: Batch<'_>) -> Result<Box<dyn Shipped>, ShipError> {
        let number = self.sources.iter().enumerate().position(|(i, _)| source_id(i) == batch.source);
        let Some((definition, file)) = number.map(|i| self.sources[i].clone()) else {
            return Err(ShipError::Stopped("a batch of no source".to_owned()));
        };
        let mut at = batch.byte_start;
        for record in batch.records {
            let byte_end = at + u64::from(record.original_len);
            let place = Place { file: &file, offset: at };
            let meta = RecordMeta {
                source: batch.source,
                generation: batch.generation,
                byte_start: at,
                byte_end,
                flags: record.flags,
                ..RecordMeta::default()
            };
            let event = self.deriver.derive(&definition, &meta, LogClass::Server, &place, record.stored.as_bytes());
            if let Err(e) = (self.event)(&event, place) {
                self.failed = Some(e);
                return Err(ShipError::Stopped("the reader of the events stopped".to_owned()));
            }
            at = byte_end;
        }
        Ok(Box::new(Taken))
    }
}

struct Quiet;

impl import::Progress for Quiet {
    fn identified(&mut self, _bytes: u64) {}
    fn total(&mut self, _bytes: u64) {}
    fn stored(&mut self, _bytes: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(second: u32, text: &str) -> String {
        format!("[2026/03/02 10:00:{second:02}.000 +00:00] [INFO] [conn.go:1] [{text}]\n")
    }

    /// What [`each`] or [`merged`] hands out of two files.
    fn read(both: bool) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = ["a.log", "b.log"].iter().map(|name| folder.path().join(name)).collect();
        std::fs::write(&files[0], line(1, "a1") + &line(30, "a2")).unwrap();
        std::fs::write(&files[1], line(10, "b1") + "cut").unwrap();
        let (mut out, told, redactor) = (Vec::new(), SourceDefinition::default(), Redactor::default());
        let mut take = |event: &Event<'_>, place: Place<'_>| {
            let name = place.file.rsplit('/').next().unwrap_or_default();
            out.push(format!("{name}:{} {} {:?}", place.offset, event.message.as_deref().unwrap_or(&event.raw), event.issues));
            Ok(())
        };
        if both { merged(&files, &told, &redactor, take) } else { each(&files, &told, &redactor, &mut take) }.unwrap();
        out
    }

    #[test]
    fn files_are_read_in_turn_or_merged_by_time() {
        let len = line(1, "a1").len();
        let a = ["a.log:0 a1 []".to_owned(), format!("a.log:{len} a2 []")];
        let b = ["b.log:0 b1 []".to_owned(), format!("b.log:{len} cut [Unparsed, Cut]")];
        assert_eq!(read(false), [&a[0], &a[1], &b[0], &b[1]].map(Clone::clone));
        let merged = read(true);
        assert_eq!((&merged[0], &merged[1]), (&a[0], &b[0]));
        assert_eq!(merged.len(), 4);
    }

    #[test]
    fn a_missing_file_is_named() {
        let (told, redactor) = (SourceDefinition::default(), Redactor::default());
        let error = each(&[PathBuf::from("/nowhere/no.log")], &told, &redactor, &mut |_: &Event<'_>, _: Place<'_>| Ok(())).unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/no.log"));
        assert_eq!(crate::exit::code(&error), Exit::Io as u8);
    }
}

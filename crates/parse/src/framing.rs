//! Where a record ends (FORMAT §1). Owns: record boundaries, the splitting of what is too long, and which pieces belong together. Never copies the buffer,
//! never looks at a column.
//!
//! Most records are one line. The others are an automaton over the roles of lines (`kind.rs`): a line continues the record under way, ends it, or begins
//! the next one. What was looked at is remembered, so a growing buffer costs nothing twice.

pub(crate) mod kind;
mod view;

use event::{
    RecordFlags,
    limits::{MULTILINE_LINES_MAX, RECORD_BYTES_MAX},
};
use memchr::memchr;

use kind::{LineKind, ends_others};
use view::View;

use crate::{
    parsers::access::{begins_row, closes_all},
    prefix::Carrier,
};

/// What is known about the bytes behind the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// More bytes may follow at any time.
    Open,
    /// Nothing has come for `limits::RECORD_IDLE_US`: a multi-line record is closed, a line without its end is not.
    Idle,
    /// The file is closed or imported: what is there is all there is.
    Closed,
}

/// A piece of a record that others may interrupt (CRI `P` .. `F`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Join {
    /// Pieces with the same key belong together (container stream).
    pub key: u64,
    /// Whether this piece ends the record.
    pub last: bool,
}

/// One record at the start of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Bytes of the record, its line end included. Never 0.
    pub len: usize,
    /// What is odd about its bytes.
    pub flags: RecordFlags,
    /// It ended without a line end, because the file did.
    pub cut: bool,
    /// Set where others may stand between this piece and the next.
    pub piece: Option<Join>,
}

/// The record without its final line ends: what is redacted, stored and shown.
pub fn body(record: &[u8]) -> &[u8] {
    let end = record.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
    &record[..end]
}

/// Behind what no writer meant: a byte order mark, and the hole of zeros that a file has where it was truncated under a writer that does not append.
pub fn past_hole(line: &[u8]) -> &[u8] {
    match line.first() {
        Some(0) => &line[line.iter().position(|b| *b != 0).unwrap_or(line.len())..],
        Some(0xEF) => line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line),
        _ => line,
    }
}

/// What the record under way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One line (that may come in pieces).
    Line,
    /// A block of the slow log.
    Slow,
    /// A dump; whether a stack was seen in it.
    Crash {
        stack: bool,
    },
    /// Empty lines, perhaps those before a banner.
    Blank,
    Banner,
    /// A 2.x record.
    Legacy,
    /// JSON over several lines.
    Pretty,
    /// A unified line with an open string: its value holds real line ends.
    OpenString,
    /// A row of an access log that is not complete: a value holds real line ends.
    Row,
}

/// The record under way.
#[derive(Debug, Clone, Copy)]
struct Open {
    kind: Kind,
    carrier: Carrier,
    key: u64,
    /// Lines so far.
    lines: usize,
    /// Its last line goes on in the next line of its stream.
    partial: bool,
    /// It goes on from a piece that others interrupted.
    joins: bool,
    flags: RecordFlags,
}

/// What one more line means.
enum Step {
    Continue,
    /// The line is the last one.
    EndAfter,
    /// The line begins another record.
    EndBefore,
}

/// A panic's own text may have this many lines before its stack.
const PANIC_LINES_MAX: usize = 30;
/// Streams whose pieces are awaited at a time.
const STREAMS_MAX: usize = 16;

/// Finds record boundaries in one source. The spans of one generation cover it without gap or overlap.
#[derive(Debug, Clone, Default)]
pub struct Framer {
    open: Option<Open>,
    /// Bytes of the lines that belong to the record under way.
    looked: usize,
    /// Bytes behind them that hold no line end.
    searched: usize,
    /// What the last record was, where it was closed by time (with the flag of a piece) or by its size: the next lines may go on with it.
    resume: Option<(Kind, RecordFlags)>,
    /// A line longer than a record goes on.
    splitting: bool,
    /// Streams whose record was interrupted.
    interrupted: Vec<(u64, Kind)>,
}

impl Framer {
    /// A framer at the start of a generation, or at a known record boundary.
    pub fn new() -> Self {
        Self::default()
    }

    /// The record at the start of `buf`, or none where more bytes are needed. The next call begins behind the span.
    pub fn next(&mut self, buf: &[u8], end: End) -> Option<Span> {
        let within = &buf[..buf.len().min(RECORD_BYTES_MAX)];
        loop {
            let from = self.looked + self.searched;
            let Some(line_end) = within.get(from..).and_then(|rest| memchr(b'\n', rest)).map(|i| from + i + 1) else {
                return self.no_line_end(buf, end);
            };
            self.searched = 0;
            if self.splitting {
                self.splitting = false;
                return Some(self.emit(line_end, RecordFlags(RecordFlags::SPLIT)));
            }
            if let Some(span) = self.line(&buf[self.looked..line_end - 1], line_end) {
                return Some(span);
            }
        }
    }

    /// One more whole line. `line_end` is where it ends in the buffer.
    fn line(&mut self, line: &[u8], line_end: usize) -> Option<Span> {
        match self.step(line) {
            Step::Continue => {
                self.looked = line_end;
                None
            }
            Step::EndAfter => Some(self.finish(line_end)),
            Step::EndBefore => Some(self.finish(self.looked)),
        }
    }

    /// The buffer ends within a line, or is full.
    fn no_line_end(&mut self, buf: &[u8], end: End) -> Option<Span> {
        if buf.len() >= RECORD_BYTES_MAX {
            if self.looked > 0 {
                self.resume = self.open.map(|open| (open.kind, RecordFlags::default()));
                return Some(self.finish(self.looked));
            }
            self.splitting = true;
            let at = (RECORD_BYTES_MAX - 3..=RECORD_BYTES_MAX).rev().find(|at| buf.get(*at).is_none_or(|b| b & 0xC0 != 0x80));
            return Some(self.emit(at.unwrap_or(RECORD_BYTES_MAX), RecordFlags(RecordFlags::SPLIT)));
        }
        self.searched = buf.len() - self.looked;
        match end {
            End::Open => None,
            End::Idle if self.looked == 0 => None,
            End::Idle => {
                self.resume = self.open.map(|open| (open.kind, RecordFlags(RecordFlags::PIECE)));
                Some(self.finish(self.looked))
            }
            End::Closed if buf.is_empty() => None,
            End::Closed if self.searched == 0 => Some(self.last(self.looked)),
            End::Closed => {
                self.searched = 0;
                let cut = |span: Span| Some(Span { cut: true, ..span });
                if self.splitting {
                    self.splitting = false;
                    return cut(self.emit(buf.len(), RecordFlags(RecordFlags::SPLIT)));
                }
                match self.step(&buf[self.looked..]) {
                    Step::EndBefore => Some(self.finish(self.looked)),
                    Step::Continue | Step::EndAfter => cut(self.last(buf.len())),
                }
            }
        }
    }

    /// What the line means for the record under way; begins one where none is.
    fn step(&mut self, line: &[u8]) -> Step {
        let line = past_hole(line);
        // By far the commonest line: a whole unified one. (An access row may end with a bracket of its own and go on.)
        let whole = line.starts_with(b"[20") && line.ends_with(b"]");
        if whole && self.open.is_none() && self.interrupted.is_empty() && (!begins_row(line) || is_closed_row(line)) {
            self.resume = None;
            self.open = Some(Open::new(Kind::Line, Carrier::None, 0));
            return Step::EndAfter;
        }
        if let Some(open) = &mut self.open
            && open.kind == Kind::Slow
            && open.carrier == Carrier::None
            && !open.partial
            && open.lines < MULTILINE_LINES_MAX
            && kind::within_block(line)
        {
            open.lines += 1;
            return Step::Continue;
        }
        let view = view::look(line, self.open.map(|open| open.carrier));
        let Some(mut open) = self.open.take() else { return self.begin(&view) };
        if view.carrier != open.carrier || view.key != open.key {
            self.open = Some(open);
            return Step::EndBefore;
        }
        let goes_on_within_line = open.partial;
        open.partial = view.partial;
        open.lines += 1;
        let step = if open.lines > MULTILINE_LINES_MAX {
            self.resume = Some((open.kind, RecordFlags::default()));
            Step::EndBefore
        } else if goes_on_within_line {
            open.after_piece(&view)
        } else {
            open.follow(&view)
        };
        self.open = Some(open);
        step
    }

    /// A line that begins a record.
    fn begin(&mut self, view: &View<'_>) -> Step {
        let resumed = self.resume.take();
        let mut open = Open::new(Kind::Line, view.carrier, view.key);
        open.partial = view.partial;
        if let Some(i) = self.interrupted.iter().position(|(key, _)| *key == view.key && view.carrier != Carrier::None) {
            let (_, kind) = self.interrupted.swap_remove(i);
            open.joins = true;
            open.flags = RecordFlags(RecordFlags::PIECE);
            open.kind = kind;
            self.open = Some(open);
            return if view.partial { Step::Continue } else { Step::EndAfter };
        }
        if let Some((kind, flags)) = resumed
            && kind.takes_up(view.kind)
        {
            open.kind = kind;
            open.flags = flags;
            self.open = Some(open);
            return Step::Continue;
        }
        let (kind, more) = Kind::of_first(view);
        open.kind = kind;
        self.open = Some(open);
        if more || view.partial { Step::Continue } else { Step::EndAfter }
    }

    /// The record under way ends at `len`.
    fn finish(&mut self, len: usize) -> Span {
        let open = self.open.take();
        match open {
            // Another stream's line stands between its pieces.
            Some(open) if open.partial && open.carrier != Carrier::None && len == self.looked && self.interrupted.len() < STREAMS_MAX => {
                self.interrupt(open)
            }
            Some(open) => {
                let mut span = self.emit(len, open.flags);
                span.piece = open.joins.then_some(Join { key: open.key, last: true });
                span
            }
            None => self.emit(len, RecordFlags::default()),
        }
    }

    /// The record under way ends because the file does: no piece follows.
    fn last(&mut self, len: usize) -> Span {
        if let Some(open) = &mut self.open {
            open.partial = false;
        }
        self.finish(len)
    }

    /// The lines so far are a piece; the record goes on when its stream does.
    fn interrupt(&mut self, open: Open) -> Span {
        self.open = None;
        self.interrupted.push((open.key, open.kind));
        let mut span = self.emit(self.looked, open.flags.with(RecordFlags::PIECE));
        span.piece = Some(Join { key: open.key, last: false });
        span
    }

    fn emit(&mut self, len: usize, flags: RecordFlags) -> Span {
        self.open = None;
        self.looked = 0;
        self.searched = 0;
        Span { len, flags, cut: false, piece: None }
    }
}

impl Kind {
    /// What a record is by its first line, and whether more lines may belong to it.
    fn of_first(view: &View<'_>) -> (Self, bool) {
        match view.kind {
            LineKind::Slow | LineKind::SlowKey => (Self::Slow, true),
            LineKind::Crash => (Self::Crash { stack: false }, true),
            LineKind::Goroutine | LineKind::Frame => (Self::Crash { stack: true }, true),
            LineKind::Blank => (Self::Blank, true),
            LineKind::Banner => (Self::Banner, true),
            LineKind::Legacy => (Self::Legacy, true),
            LineKind::JsonOpen => (Self::Pretty, true),
            LineKind::Head if view.open_string() => (Self::OpenString, true),
            LineKind::Head if view.open_row() => (Self::Row, true),
            LineKind::Head | LineKind::Json | LineKind::BannerLine | LineKind::Other => (Self::Line, false),
        }
    }

    /// Whether a line may go on with a record that was closed too early.
    fn takes_up(self, kind: LineKind) -> bool {
        let within = !ends_others(kind) && !matches!(kind, LineKind::Crash | LineKind::Banner);
        match self {
            Self::Slow | Self::Legacy | Self::OpenString | Self::Row => within,
            Self::Crash { .. } => matches!(kind, LineKind::Goroutine | LineKind::Frame | LineKind::Blank),
            Self::Line | Self::Blank | Self::Banner | Self::Pretty => false,
        }
    }
}

impl Open {
    fn new(kind: Kind, carrier: Carrier, key: u64) -> Self {
        Self { kind, carrier, key, lines: 1, partial: false, joins: false, flags: RecordFlags::default() }
    }

    /// A line that goes on where the last one was broken off.
    fn after_piece(&self, view: &View<'_>) -> Step {
        let one_line = matches!(self.kind, Kind::Line) || self.joins;
        if view.partial || !one_line { Step::Continue } else { Step::EndAfter }
    }

    /// A line behind a whole line of the record.
    fn follow(&mut self, view: &View<'_>) -> Step {
        let kind = view.kind;
        let go_on = |yes: bool| if yes { Step::Continue } else { Step::EndBefore };
        match self.kind {
            Kind::Line => Step::EndBefore,
            Kind::Slow => go_on(!ends_others(kind) && kind != LineKind::Crash),
            Kind::Crash { ref mut stack } => match kind {
                LineKind::Goroutine | LineKind::Frame => {
                    *stack = true;
                    Step::Continue
                }
                LineKind::Blank => Step::Continue,
                LineKind::Crash => go_on(!*stack || view.starts_with(b"runtime stack:") || view.starts_with(b"stack backtrace:")),
                LineKind::Other | LineKind::Json | LineKind::BannerLine => go_on(!*stack && self.lines <= PANIC_LINES_MAX),
                _ => Step::EndBefore,
            },
            Kind::Blank if kind == LineKind::Banner => {
                self.kind = Kind::Banner;
                Step::Continue
            }
            Kind::Blank => go_on(kind == LineKind::Blank),
            Kind::Banner => go_on(matches!(kind, LineKind::Banner | LineKind::BannerLine | LineKind::Blank)),
            Kind::Legacy => go_on(!ends_others(kind) && kind != LineKind::Banner),
            Kind::Pretty if view.starts_with(b"}") => Step::EndAfter,
            Kind::Pretty => go_on(!ends_others(kind) && matches!(view.first(), Some(b' ' | b'\t' | b'"' | b']' | b'[' | b'{'))),
            Kind::OpenString | Kind::Row if ends_others(kind) || kind == LineKind::Crash => Step::EndBefore,
            Kind::OpenString if view.closes_string() => Step::EndAfter,
            Kind::Row if view.ends_with_bracket() => Step::EndAfter,
            Kind::OpenString | Kind::Row => Step::Continue,
        }
    }
}

/// A dated row of an access log that closes all that it opens: it is whole.
fn is_closed_row(line: &[u8]) -> bool {
    kind::is_dated(line) && closes_all(line)
}

#[cfg(test)]
mod tests;

//! One Parquet file: rows of one log and one day, written once, synced, hashed on the way (FORMAT §3).

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    sync::{Arc, LazyLock},
};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch},
    compute,
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use event::Micros;
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::properties::{WriterProperties, WriterPropertiesPtr},
    schema::types::ColumnPath,
};
use sha2::{Digest as _, Sha256};

use super::{chunk::ROWS_MAX, schema};

/// Rows of a row group: 16 pages.
const ROW_GROUP_ROWS: usize = 131_072;
/// Bytes of a page before it ends early: pages end by rows, so that a block of the token index is a page of every column.
const PAGE_BYTES: usize = 64 << 20;
/// What is compressed at the seal. Compaction goes higher.
const ZSTD_LEVEL: i32 = 3;
/// Columns that people look single values up in.
const BLOOM: [&str; 6] = ["src_ip", "user", "host", "trace_id", "conn_id", "digest"];
/// Columns that mostly grow from row to row.
const GROWING: [&str; 6] = ["seq", "byte_start", "byte_end", "time", "observed_time", "agent_time"];
/// The file's write buffer.
const BUFFER_BYTES: usize = 1 << 20;

/// What was written.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
    pub(super) content: Content,
}

/// What rows in a row hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub(super) rows: u64,
    pub(super) first_seq: i64,
    pub(super) last_seq: i64,
    /// Bounds of `time`, where there is any.
    pub(super) time: Option<(Micros, Micros)>,
    /// Rows without a time.
    pub(super) null_times: u64,
    /// Bounds of the arrival.
    pub(super) observed: Option<(Micros, Micros)>,
}

impl Content {
    fn add(&mut self, batch: &RecordBatch) {
        if let Some(seqs) = batch.column_by_name("seq").and_then(|c| c.as_primitive_opt::<Int64Type>()) {
            if self.rows == 0 {
                self.first_seq = seqs.values().first().copied().unwrap_or_default();
            }
            self.last_seq = seqs.values().last().copied().unwrap_or(self.last_seq);
        }
        self.rows += batch.num_rows() as u64;
        for (name, bounds) in [("time", &mut self.time), ("observed_time", &mut self.observed)] {
            let Some(times) = batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>()) else { continue };
            if let (Some(low), Some(high)) = (compute::min(times), compute::max(times)) {
                *bounds = Some(bounds.map_or((low, high), |(l, h)| (l.min(low), h.max(high))));
            }
            if name == "time" {
                self.null_times += times.null_count() as u64;
            }
        }
    }
}

/// How a file is written.
fn properties() -> WriterPropertiesPtr {
    static PROPERTIES: LazyLock<WriterPropertiesPtr> = LazyLock::new(|| {
        let column = |name: &str| ColumnPath::from(name);
        let mut builder = WriterProperties::builder()
            .set_created_by(concat!("bartizan ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_data_page_row_count_limit(ROWS_MAX)
            .set_data_page_size_limit(PAGE_BYTES)
            .set_column_dictionary_enabled(column("raw"), false);
        for name in GROWING {
            builder = builder.set_column_dictionary_enabled(column(name), false);
            builder = builder.set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
        }
        for name in BLOOM {
            builder = builder.set_column_bloom_filter_enabled(column(name), true);
            builder = builder.set_column_bloom_filter_max_ndv(column(name), ROW_GROUP_ROWS as u64);
        }
        Arc::new(builder.build())
    });
    Arc::clone(&PROPERTIES)
}

/// A file that knows what went through it.
struct Hashing {
    file: BufWriter<File>,
    hash: Sha256,
    size: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.size += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A file under way.
pub(super) struct Writer {
    inner: ArrowWriter<Hashing>,
    pub(super) content: Content,
}

impl Writer {
    /// Begins a file that must not be there.
    pub(super) fn create(path: &Path) -> Result<Self, ParquetError> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, File::create_new(path)?);
        let sink = Hashing { file, hash: Sha256::new(), size: 0 };
        // The Arrow schema in the footer would tell other engines of types that they cannot read.
        let options = ArrowWriterOptions::new().with_properties(properties().as_ref().clone()).with_skip_arrow_metadata(true);
        Ok(Self { inner: ArrowWriter::try_new_with_options(sink, schema::files(), options)?, content: Content::default() })
    }

    /// Appends rows that follow those before. The partition columns behind the others are left out.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        self.inner.write(&batch.project(&COLUMN_INDICES)?)?;
        self.content.add(batch);
        Ok(())
    }

    /// Bytes of the file as far as they are known.
    pub(super) fn size(&self) -> u64 {
        (self.inner.bytes_written() + self.inner.in_progress_size()) as u64
    }

    /// Ends the file; its content is synced, its name is not.
    pub(super) fn finish(self) -> Result<Written, ParquetError> {
        let Hashing { file, hash, size } = self.inner.into_inner()?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(Written { size, sha256: hash.finalize().into(), content: self.content })
    }
}

static COLUMN_INDICES: LazyLock<Vec<usize>> = LazyLock::new(|| (0..schema::COLUMNS.len()).collect());

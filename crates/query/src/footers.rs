//! Our Parquet reader: plain reads at offsets, and footers kept with their page index.
//!
//! The engine's own reader loads the page index only for filters that can prune pages, so a selection of rows would fetch whole column
//! chunks (storage.md §9.2: 27 MB instead of 1.7). Files of the lake are never written twice under one name, so a footer never goes stale.

use std::{
    collections::HashMap,
    fs::File,
    ops::Range,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use datafusion::{
    common::{DataFusionError, Result},
    datasource::{listing::PartitionedFile, physical_plan::parquet::ParquetFileReaderFactory},
    parquet::{
        arrow::{arrow_reader::ArrowReaderOptions, async_reader::AsyncFileReader},
        errors::{ParquetError, Result as ParquetResult},
        file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader},
    },
    physical_plan::metrics::ExecutionPlanMetricsSet,
};
use futures::{FutureExt as _, future::BoxFuture};

/// Footers of at most this many files are kept; a footer with its page index is some 100 KiB for 128 MiB of text.
const FOOTERS_MAX: usize = 1024;

/// Where a file of the lake lies: the engine's own paths escape characters that a folder's name may hold.
#[derive(Debug, Clone)]
pub(crate) struct LakePath(pub PathBuf);

/// Opens files of the lake and remembers their footers.
#[derive(Debug, Default)]
pub struct Footers(Mutex<HashMap<PathBuf, Arc<ParquetMetaData>>>);

impl ParquetFileReaderFactory for Footers {
    fn create_reader(
        &self,
        _partition: usize,
        file: PartitionedFile,
        _size_hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let path = file.extension::<LakePath>().map(|p| p.0.clone());
        let path = path.ok_or_else(|| DataFusionError::Internal("a file of the lake without its path".to_owned()))?;
        let said = |e: &dyn std::fmt::Display| DataFusionError::Execution(format!("reading {}: {e}", path.display()));
        let handle = File::open(&path).map_err(|e| said(&e))?;
        let footer = self.footer(&path, &handle).map_err(|e| said(&e))?;
        Ok(Box::new(Reader { path, handle, footer }))
    }
}

impl Footers {
    fn footer(&self, path: &PathBuf, handle: &File) -> ParquetResult<Arc<ParquetMetaData>> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(footer) = kept().get(path) {
            return Ok(Arc::clone(footer));
        }
        let footer = Arc::new(ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional).parse_and_finish(handle)?);
        let mut all = kept();
        if all.len() >= FOOTERS_MAX {
            all.clear(); // rare, and cheaper than an order of use
        }
        all.insert(path.clone(), Arc::clone(&footer));
        Ok(footer)
    }
}

struct Reader {
    path: PathBuf,
    handle: File,
    footer: Arc<ParquetMetaData>,
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        let read = || {
            let mut bytes = vec![0; usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX)];
            self.handle.read_exact_at(&mut bytes, range.start)?;
            Ok(Bytes::from(bytes))
        };
        let bytes = read().map_err(|e: std::io::Error| ParquetError::General(format!("reading {}: {e}", self.path.display())));
        std::future::ready(bytes).boxed()
    }
    fn get_metadata<'a>(&'a mut self, _options: Option<&'a ArrowReaderOptions>) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        std::future::ready(Ok(Arc::clone(&self.footer))).boxed()
    }
}

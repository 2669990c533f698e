//! Opens a log file, plain or compressed. Owns: what counts as compressed. What is inside is told by the first bytes, never by the name.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek as _, SeekFrom},
    path::Path,
};

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Plain,
    /// gzip, possibly several members.
    Gzip,
    /// Zstandard, possibly several frames.
    Zstd,
}

/// A window of more than this many bytes (as a power of two) is refused: a small file must not take all memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Tells the packing by the first bytes.
pub fn packing(first: &[u8]) -> Packing {
    match first {
        [0x1f, 0x8b, 0x08, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
        _ => Packing::Plain,
    }
}

/// The packing of an open file; its position is the start again.
pub fn packing_of(file: &mut File) -> io::Result<Packing> {
    let mut first = [0; 4];
    let mut have = 0;
    while have < first.len() {
        match file.read(&mut first[have..])? {
            0 => break,
            n => have += n,
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(packing(&first[..have]))
}

/// The decompressed bytes of a file. Compressed data that is damaged or ends early ends the reading where it can be read no further: what stands before it
/// is evidence too. Whoever reads asks [`Reader::damage`] at the end.
pub struct Reader {
    bytes: Box<dyn Read + Send>,
    packed: bool,
    damage: Option<String>,
}

impl Reader {
    /// Why the data ended early.
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.damage.is_some() {
            return Ok(0);
        }
        match self.bytes.read(buf) {
            // A failing disk has a number of the system; what a decoder does not understand has none.
            Err(e) if self.packed && e.raw_os_error().is_none() && e.kind() != io::ErrorKind::Interrupted => {
                self.damage = Some(e.to_string());
                Ok(0)
            }
            read => read,
        }
    }
}

/// Opens a file for reading its decompressed bytes from the first. A folder is an error here, not at the first read.
pub fn open(path: &Path) -> io::Result<Reader> {
    let mut file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; name the files in it"));
    }
    let packing = packing_of(&mut file)?;
    let bytes: Box<dyn Read + Send> = match packing {
        Packing::Plain => Box::new(file),
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file))),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(file)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    };
    Ok(Reader { bytes, packed: packing != Packing::Plain, damage: None })
}

/// Opens a file behind its first `skip` decompressed bytes.
pub fn open_at(path: &Path, skip: u64) -> io::Result<Reader> {
    let mut file = File::open(path)?;
    if packing_of(&mut file)? == Packing::Plain {
        file.seek(SeekFrom::Start(skip))?;
        return Ok(Reader { bytes: Box::new(file), packed: false, damage: None });
    }
    let mut reader = open(path)?;
    let skipped = io::copy(&mut reader.by_ref().take(skip), &mut io::sink())?;
    if skipped < skip {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is shorter than what is stored of it"));
    }
    Ok(reader)
}

/// Reads until `buf` is full or the data ends; gives the number of bytes.
pub fn read_full(reader: &mut dyn Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < buf.len() {
        match reader.read(&mut buf[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(have)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn packed_files_read_as_their_text() {
        let folder = tempfile::tempdir().unwrap();
        let text = b"one\ntwo\n".repeat(100);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&text).unwrap();
        let gz = gz.finish().unwrap();
        let cases = [("plain", text.clone()), ("gz", gz), ("zst", zstd::bulk::compress(&text, 3).unwrap())];
        for (name, bytes) in cases {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let mut all = Vec::new();
            open(&path).unwrap().read_to_end(&mut all).unwrap();
            assert_eq!(all, text, "{name}");
            let mut rest = Vec::new();
            open_at(&path, 4).unwrap().read_to_end(&mut rest).unwrap();
            assert_eq!(rest, text[4..], "{name}");
            assert_eq!(open_at(&path, 10_000).map(|_| ()).is_err(), name != "plain", "{name}");
        }
    }

    #[test]
    fn packed_data_that_ends_early_or_is_damaged_is_read_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let text: Vec<u8> = (0..20_000u32).flat_map(|n| format!("line {}\n", n.wrapping_mul(2_654_435_761)).into_bytes()).collect();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&text).unwrap();
        let gz = gz.finish().unwrap();
        let zst = zstd::bulk::compress(&text, 3).unwrap();
        for (name, bytes) in [("gz", &gz[..gz.len() / 2]), ("zst", &zst[..zst.len() - 9])] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let (mut reader, mut all) = (open(&path).unwrap(), Vec::new());
            reader.read_to_end(&mut all).unwrap();
            assert!(reader.damage().is_some(), "{name}");
            assert!(all.len() < text.len() && text.starts_with(&all), "{name}: {} bytes", all.len());
        }
    }

    #[test]
    fn a_folder_is_refused() {
        assert!(open(tempfile::tempdir().unwrap().path()).is_err());
    }
}

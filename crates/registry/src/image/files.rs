use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use super::ImageError;

/// The files of an image on the disk: a folder, or a tar archive that is read in place and never unpacked.
#[derive(Debug)]
pub(super) struct Files {
    path: PathBuf,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder,
    Archive { file: Arc<File>, entries: HashMap<String, Entry> },
}

#[derive(Debug, Clone)]
enum Entry {
    File { offset: u64, length: u64 },
    Link(String),
}

/// Where some bytes lie on the disk.
#[derive(Debug, Clone)]
pub struct Location {
    holder: Holder,
    offset: u64,
    /// How many bytes.
    pub length: u64,
}

#[derive(Debug, Clone)]
enum Holder {
    Path(PathBuf),
    Archive(Arc<File>),
}

impl Location {
    /// Opens the file that it lies in. An archive is open already.
    pub(crate) fn open(&self) -> io::Result<OpenLocation> {
        let file = match &self.holder {
            Holder::Path(path) => Arc::new(File::open(path)?),
            Holder::Archive(file) => file.clone(),
        };
        Ok(OpenLocation { file, offset: self.offset, length: self.length })
    }
}

/// A location whose file is open; several may be read at once.
#[derive(Debug)]
pub(crate) struct OpenLocation {
    file: Arc<File>,
    offset: u64,
    length: u64,
}

impl OpenLocation {
    /// Fills `buffer` from `position` on, less at the end. A file that has become shorter is an error.
    pub(crate) fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(position);
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut filled = 0;
        while filled < wanted {
            let at = self.offset + position + filled as u64;
            match positioned_read(&self.file, &mut buffer[filled..wanted], at) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

#[cfg(unix)]
fn positioned_read(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn positioned_read(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

impl Files {
    /// Opens a folder or an archive. A gzip-compressed archive is unpacked into a file in `scratch` that has no name
    /// and goes with the process.
    pub(super) fn open(path: &Path, scratch: &Path) -> Result<Self, ImageError> {
        let failed = |error| ImageError::Io { path: path.to_owned(), error };
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            return Ok(Self { path: path.to_owned(), place: Place::Folder });
        }
        let file = uncompressed(File::open(path).map_err(failed)?, path, scratch)?;
        let entries = index(&file).map_err(failed)?;
        Ok(Self { path: path.to_owned(), place: Place::Archive { file: Arc::new(file), entries } })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file lies, by its name inside; `None` when there is none.
    pub(super) fn find(&self, name: &str) -> Option<Location> {
        match &self.place {
            Place::Folder => {
                // Names come from the image's own files: none of them may lead out of its folder.
                let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
                let path = Path::new(name).components().all(is_plain).then(|| self.path.join(name))?;
                let found = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
                Some(Location { holder: Holder::Path(path), offset: 0, length: found.len() })
            }
            Place::Archive { file, entries } => {
                let (offset, length) = resolve(entries, name)?;
                Some(Location { holder: Holder::Archive(file.clone()), offset, length })
            }
        }
    }

    /// A small file whole; `None` when there is none.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Option<Bytes>, ImageError> {
        let Some(location) = self.find(name) else { return Ok(None) };
        if location.length > limit {
            return Err(self.malformed(name, format!("it is larger than {limit} bytes")));
        }
        let mut buffer = vec![0; usize::try_from(location.length).unwrap_or_default()];
        let read = location.open().and_then(|open| open.read_at(0, &mut buffer));
        read.map_err(|error| ImageError::Io { path: self.path.join(name), error })?;
        Ok(Some(buffer.into()))
    }

    pub(super) fn malformed(&self, subject: &str, reason: impl ToString) -> ImageError {
        ImageError::Malformed {
            path: self.path.clone(),
            subject: subject.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Follows links (`docker save` once stored equal layers as links to each other), but not in circles.
fn resolve(entries: &HashMap<String, Entry>, name: &str) -> Option<(u64, u64)> {
    let mut name = name.to_owned();
    for _ in 0..8 {
        match entries.get(&name)? {
            Entry::File { offset, length } => return Some((*offset, *length)),
            Entry::Link(target) => name.clone_from(target),
        }
    }
    None
}

fn index(file: &File) -> io::Result<HashMap<String, Entry>> {
    let mut entries = HashMap::new();
    let whole = file.metadata()?.len();
    let mut archive = tar::Archive::new(file);
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let name = normalised(&String::from_utf8_lossy(&entry.path_bytes()));
        let target = || entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
        let kind = entry.header().entry_type();
        if kind.is_file() || kind.is_contiguous() {
            if entry.raw_file_position().saturating_add(entry.size()) > whole {
                let reason = format!("the archive ends too early, within {name}");
                return Err(io::Error::new(ErrorKind::UnexpectedEof, reason));
            }
            let place = Entry::File { offset: entry.raw_file_position(), length: entry.size() };
            entries.insert(name, place);
        } else if let Some(target) = target().filter(|_| kind.is_hard_link()) {
            entries.insert(name, Entry::Link(normalised(&target)));
        } else if let Some(target) = target().filter(|_| kind.is_symlink()) {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            entries.insert(name.clone(), Entry::Link(normalised(&format!("{folder}/{target}"))));
        }
    }
    Ok(entries)
}

/// A name without `.`, `..` and double slashes.
fn normalised(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn uncompressed(mut file: File, path: &Path, scratch: &Path) -> Result<File, ImageError> {
    let failed = |error| ImageError::Io { path: path.to_owned(), error };
    let mut magic = [0; 6];
    let length = read_up_to(&mut file, &mut magic).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let compression = match &magic[..length] {
        [0x1f, 0x8b, ..] => {
            let unpack = || -> io::Result<File> {
                let mut unpacked = tempfile::tempfile_in(scratch)?;
                io::copy(&mut MultiGzDecoder::new(io::BufReader::new(&file)), &mut unpacked)?;
                unpacked.rewind()?;
                Ok(unpacked)
            };
            return unpack().map_err(failed);
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [0xfd, b'7', b'z', b'X', b'Z', 0] => "xz",
        [b'B', b'Z', b'h', ..] => "bzip2",
        _ => return Ok(file),
    };
    Err(ImageError::Compression { path: path.to_owned(), compression })
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let limit = buffer.len() as u64;
    let mut filled = Vec::with_capacity(buffer.len());
    file.take(limit).read_to_end(&mut filled)?;
    buffer[..filled.len()].copy_from_slice(&filled);
    Ok(filled.len())
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn names_in_archives_have_one_form() {
        for (name, expected) in [
            ("./index.json", "index.json"),
            ("abc/../def/layer.tar", "def/layer.tar"),
            ("../../etc/passwd", "etc/passwd"),
            ("blobs//sha256/", "blobs/sha256"),
        ] {
            assert_eq!(normalised(name), expected);
        }
    }
}

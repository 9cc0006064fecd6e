use std::io;
use std::path::PathBuf;

/// Why an image cannot be read from the disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file system refused.
    #[error("{} could not be read", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// It is neither of the forms that can be read.
    #[error(
        "{} holds no image: it is neither an OCI layout (index.json, oci-layout) nor an archive of docker save (manifest.json)",
        .0.display()
    )]
    UnknownForm(PathBuf),
    /// The archive is compressed in a way that is not supported.
    #[error("{} is compressed with {compression}: give it uncompressed or gzip-compressed", path.display())]
    Compression {
        /// The archive.
        path: PathBuf,
        /// How.
        compression: &'static str,
    },
    /// Something in it is not as the specification has it.
    #[error("{subject} in {}: {reason}", path.display())]
    Malformed {
        /// The image.
        path: PathBuf,
        /// Which part.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A part that a manifest refers to is not there.
    #[error("{} is not whole: {what} {digest} is missing{hint}", path.display())]
    Missing {
        /// The image.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// Which one.
        digest: String,
        /// What to do, beginning with a semicolon; or nothing.
        hint: &'static str,
    },
    /// It holds several images and none was named, or none has the name.
    #[error("{} holds {}; {wanted}", path.display(), listed(found))]
    Ambiguous {
        /// The archive or layout.
        path: PathBuf,
        /// The names in it.
        found: Vec<String>,
        /// What was asked for.
        wanted: String,
    },
}

fn listed(found: &[String]) -> String {
    match found {
        [] => "no image".to_owned(),
        [one] => format!("the image {one}"),
        several => format!("{} images: {}", several.len(), several.join(", ")),
    }
}

use std::fmt;
use std::str::FromStr;

/// The longest key that S3 takes, in bytes of UTF-8 (S3 User Guide, "Naming Amazon S3 objects").
pub const MAX_KEY_BYTES: usize = 1024;

/// The folder in the bucket under which objects are put: empty, or `a/b` without slashes at its ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TargetFolder(String);

/// The text cannot be a folder in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" cannot be a target folder: it must not hold \"..\"")]
pub struct InvalidTargetFolder(String);

impl TargetFolder {
    /// The key of a file by its path below this folder.
    #[must_use]
    pub fn key_of(&self, relative: &str) -> String {
        if self.0.is_empty() { relative.to_owned() } else { format!("{}/{relative}", self.0) }
    }
}

impl TargetFolder {
    /// Whether it is the top of the bucket.
    #[must_use]
    pub fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// What the keys of everything in it begin with: nothing, or the folder and a slash, so that `d` does not
    /// mean `dother`.
    pub(crate) fn prefix(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!("{}/", self.0) }
    }
}

/// How files become keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyRule {
    pub(crate) target: TargetFolder,
    /// Whether only the file's name counts, and not the folders that it lies in.
    pub(crate) flatten: bool,
}

impl KeyRule {
    /// The key of a file by its path below the source folder.
    pub(crate) fn key_of(&self, relative: &str) -> String {
        self.target.key_of(if self.flatten { base_name(relative) } else { relative })
    }
}

/// The last part of a path or key.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl FromStr for TargetFolder {
    type Err = InvalidTargetFolder;

    /// Reads a folder as the AWS Toolkit does: a backslash parts folders too, repeated slashes and `.`
    /// fall away.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> =
            text.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.contains(&"..") {
            return Err(InvalidTargetFolder(text.to_owned()));
        }
        Ok(Self(parts.join("/")))
    }
}

impl fmt::Display for TargetFolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_at_the_ends_and_repeated_ones_fall_away() {
        for (text, key) in [
            ("", "f"),
            ("/", "f"),
            ("a", "a/f"),
            ("/a/", "a/f"),
            ("a//b/./c", "a/b/c/f"),
            ("a\\b", "a/b/f"),
            ("a b/ü#+%20;]=", "a b/ü#+%20;]=/f"),
            ("...", ".../f"),
        ] {
            assert_eq!(text.parse::<TargetFolder>().unwrap().key_of("f"), key, "{text}");
        }
    }

    #[test]
    fn the_way_up_is_refused() {
        for wrong in ["..", "a/../b", "a\\..\\b"] {
            assert!(wrong.parse::<TargetFolder>().is_err(), "{wrong}");
        }
    }
}

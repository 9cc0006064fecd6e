//! Where an object comes to lie, and which keys name no place.

use std::path::PathBuf;

/// Whose rules for names apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Unix,
    Windows,
}

impl Names {
    pub(super) fn here() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Unix }
    }
}

/// The path of a key below the target folder, or why it has none.
///
/// What would lead out of the folder on any system is refused on every one. Names that only Windows cannot have
/// are refused there.
pub(super) fn place(key: &str, names: Names) -> Result<PathBuf, &'static str> {
    if key.starts_with('/') || key.starts_with('\\') {
        return Err("it is absolute");
    }
    if has_drive(key) {
        return Err("it begins with a drive letter");
    }
    if key.split(['/', '\\']).any(|part| part == "..") {
        return Err("it leads up with \"..\"");
    }
    if key.contains('\0') {
        return Err("it holds a NUL");
    }
    let mut path = PathBuf::new();
    for part in key.split('/').filter(|part| !part.is_empty()) {
        if part == "." {
            return Err("it holds \".\"");
        }
        if names == Names::Windows {
            check_windows(part)?;
        }
        path.push(part);
    }
    if path.as_os_str().is_empty() { Err("it is empty") } else { Ok(path) }
}

fn has_drive(key: &str) -> bool {
    let bytes = key.as_bytes();
    let is_letter = bytes.first().is_some_and(u8::is_ascii_alphabetic);
    is_letter && bytes.get(1) == Some(&b':') && matches!(bytes.get(2), None | Some(b'/' | b'\\'))
}

/// learn.microsoft.com, "Naming Files, Paths, and Namespaces".
fn check_windows(part: &str) -> Result<(), &'static str> {
    if part.chars().any(|character| character.is_control() || "<>:\"|?*\\".contains(character)) {
        return Err("it holds characters that Windows does not allow in names");
    }
    if part.ends_with(['.', ' ']) {
        return Err("a part of it ends with a dot or space, which Windows does not keep");
    }
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_uppercase();
    if is_device(&stem) { Err("a part of it is the name of a device on Windows") } else { Ok(()) }
}

fn is_device(stem: &str) -> bool {
    let numbered = |kind: &str| {
        stem.strip_prefix(kind).is_some_and(|number| {
            let mut characters = number.chars();
            characters.next().is_some_and(|digit| digit.is_ascii_digit() || "¹²³".contains(digit))
                && characters.next().is_none()
        })
    };
    matches!(stem, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_paths_below_the_folder() {
        for (key, path) in [
            ("a/b.txt", "a/b.txt"),
            ("a//b", "a/b"),
            ("...", "..."),
            ("..a/b..", "..a/b.."),
            ("a:b", "a:b"),
            ("aux.c", "aux.c"),
            ("ü/ #+%20;]=", "ü/ #+%20;]="),
            ("a\\b", "a\\b"),
        ] {
            assert_eq!(place(key, Names::Unix), Ok(PathBuf::from(path)), "{key}");
        }
    }

    #[test]
    fn what_leads_out_is_refused_everywhere() {
        for key in [
            "../x",
            "a/../../x",
            "a/..",
            "..",
            "..\\x",
            "a\\..\\..\\x",
            "a/..\\x",
            "/etc/passwd",
            "//host/share",
            "\\\\host\\share",
            "\\x",
            "C:\\x",
            "c:/x",
            "c:",
            "a/./b",
            ".",
            "",
            "a\0b",
        ] {
            assert!(place(key, Names::Unix).is_err(), "{key:?}");
            assert!(place(key, Names::Windows).is_err(), "{key:?}");
        }
    }

    #[test]
    fn names_that_windows_cannot_have_are_refused_there() {
        for key in [
            "con",
            "a/NUL.txt",
            "Aux",
            "com1",
            "LPT9.log",
            "COM¹",
            "prn .txt",
            "conin$",
            "a.",
            "a /b",
            "a:b",
            "a\\b",
            "a?b",
            "x\u{1}",
            "C:x",
        ] {
            assert!(place(key, Names::Windows).is_err(), "{key:?}");
        }
        for key in ["console", "com", "com10", "a/nul1", "lpt", "x.con"] {
            assert!(place(key, Names::Windows).is_ok(), "{key:?}");
        }
    }
}

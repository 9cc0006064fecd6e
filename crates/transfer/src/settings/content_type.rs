use std::path::Path;

/// What a file is when nothing tells.
const UNKNOWN: &str = "application/octet-stream";

/// Where `mime_guess` says something else than the tables that the AWS Toolkit uses (npm `mime-types`
/// 2.1.30), for endings that are put into buckets: pages, fonts, sources, packages, documents.
/// Sorted by ending.
const CORRECTIONS: &[(&str, &str)] = &[
    ("aac", "audio/x-aac"),
    ("cab", "application/vnd.ms-cab-compressed"),
    ("cer", "application/pkix-cert"),
    ("cjs", "application/node"),
    ("class", "application/java-vm"),
    ("deb", "application/x-debian-package"),
    ("dmg", "application/x-apple-diskimage"),
    ("dtd", "application/xml-dtd"),
    ("exe", "application/x-msdos-program"),
    ("flac", "audio/x-flac"),
    ("ico", "image/vnd.microsoft.icon"),
    ("iso", "application/x-iso9660-image"),
    ("java", "text/x-java-source"),
    ("js", "application/javascript"),
    ("jsx", "text/jsx"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("manifest", "text/cache-manifest"),
    ("map", "application/json"),
    ("mdx", "text/mdx"),
    ("mid", "audio/midi"),
    ("msi", "application/x-msdownload"),
    ("obj", "model/obj"),
    ("otf", "font/otf"),
    ("psd", "image/vnd.adobe.photoshop"),
    ("rar", "application/vnd.rar"),
    ("rpm", "application/x-redhat-package-manager"),
    ("stl", "model/stl"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"),
    ("wav", "audio/wave"),
    ("woff", "font/woff"),
    ("wsdl", "application/wsdl+xml"),
    ("xml", "application/xml"),
    ("xsd", "application/xml"),
    ("xsl", "application/xml"),
    ("xslt", "application/xslt+xml"),
    ("yaml", "text/yaml"),
    ("yml", "text/yaml"),
];

/// The media type of a file by the ending of its name; `application/octet-stream` without a known one.
#[must_use]
pub fn content_type(path: &Path) -> &'static str {
    let Some(ending) = path.extension().and_then(|ending| ending.to_str()) else { return UNKNOWN };
    let ending = ending.to_ascii_lowercase();
    match CORRECTIONS.binary_search_by_key(&ending.as_str(), |(known, _)| known) {
        Ok(index) => CORRECTIONS[index].1,
        Err(_) => mime_guess::from_ext(&ending).first_raw().unwrap_or(UNKNOWN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_give_what_the_toolkit_gives() {
        for (name, expected) in [
            ("a.txt", "text/plain"),
            ("a.BAT", "application/x-msdownload"),
            ("a", UNKNOWN),
            (".gitignore", UNKNOWN),
            (".js", UNKNOWN),
            ("a.", UNKNOWN),
            ("a.unknown-ending", UNKNOWN),
            ("dir.js/a", UNKNOWN),
            ("a.min.js", "application/javascript"),
            ("a.mjs", "application/javascript"),
            ("a.css", "text/css"),
            ("a.html", "text/html"),
            ("a.htm", "text/html"),
            ("a.svg", "image/svg+xml"),
            ("a.png", "image/png"),
            ("a.jpg", "image/jpeg"),
            ("a.webp", "image/webp"),
            ("a.ico", "image/vnd.microsoft.icon"),
            ("a.woff", "font/woff"),
            ("a.woff2", "font/woff2"),
            ("a.ttf", "font/ttf"),
            ("a.json", "application/json"),
            ("a.webmanifest", "application/manifest+json"),
            ("a.js.map", "application/json"),
            ("a.wasm", "application/wasm"),
            ("a.md", "text/markdown"),
            ("a.yml", "text/yaml"),
            ("a.yaml", "text/yaml"),
            ("a.xml", "application/xml"),
            ("a.csv", "text/csv"),
            ("a.pdf", "application/pdf"),
            ("a.zip", "application/zip"),
            ("a.gz", "application/gzip"),
            ("a.tar", "application/x-tar"),
            ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ] {
            assert_eq!(content_type(name.as_ref()), expected, "{name}");
        }
    }

    #[test]
    fn the_corrections_are_sorted_and_needed() {
        assert!(CORRECTIONS.is_sorted_by_key(|(ending, _)| ending));
        for (ending, correct) in CORRECTIONS {
            assert_ne!(mime_guess::from_ext(ending).first_raw(), Some(*correct), "{ending}");
        }
    }
}

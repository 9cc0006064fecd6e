use std::path::Path;

use anyhow::{Result, ensure};
use causeway_types::Region;

use super::name::ProfileName;

/// The text of the configuration file with the section of `name` in it, new or in place of the one that was there.
///
/// The form of the file: "Configuration and credential file settings" in the AWS SDKs and Tools Reference Guide.
pub(super) fn with_profile(text: &str, name: &ProfileName, region: &Region, process: Option<&str>) -> String {
    let head = heading(name);
    let mut kept: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line == head;
        }
        if !inside {
            kept.push(line);
        }
    }
    kept.push(&head);
    let region = format!("region = {region}");
    kept.push(&region);
    let process = process.map(|process| format!("credential_process = {process}"));
    kept.extend(process.as_deref());
    kept.join("\n") + "\n"
}

fn heading(name: &ProfileName) -> String {
    match name.as_str() {
        "default" => "[default]".to_owned(),
        name => format!("[profile {name}]"),
    }
}

/// What `credential_process` says: some tools split it as a POSIX shell does, others hand it to a shell, on Windows to
/// `cmd`. So the path is quoted only where it must be.
///
/// # Errors
/// When the path cannot stand in the file.
pub(super) fn process(program: &Path, name: &ProfileName) -> Result<String> {
    let path = program.to_str().unwrap_or_default();
    let impossible = |character: char| character.is_control() || "\"'".contains(character);
    ensure!(
        !path.is_empty() && !path.contains(impossible),
        "the temp folder's path cannot stand in an AWS configuration file: {}",
        program.display()
    );
    let plain = |character: char| character.is_ascii_alphanumeric() || "/\\:._-+@%".contains(character);
    let quote = match (path.chars().all(plain), cfg!(windows)) {
        (true, _) => "",
        (false, true) => "\"",
        (false, false) => "'",
    };
    Ok(format!("{quote}{path}{quote} credentials --profile {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_stand_side_by_side_and_are_replaced() {
        let name = |text: &str| text.parse::<ProfileName>().unwrap();
        let region = |text: &str| text.parse::<Region>().unwrap();
        let text = with_profile("", &name("dev"), &region("eu-west-1"), Some("one"));
        let text = with_profile(&text, &name("default"), &region("eu-west-1"), None);
        let text = with_profile(&text, &name("dev"), &region("us-east-1"), Some("two"));
        assert_eq!(
            text,
            "[default]\nregion = eu-west-1\n[profile dev]\nregion = us-east-1\ncredential_process = two\n"
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_path_is_quoted_where_a_shell_would_split_it() {
        let name = "dev".parse::<ProfileName>().unwrap();
        let line = |path: &str| process(Path::new(path), &name);
        assert_eq!(line("/tmp/causeway").unwrap(), "/tmp/causeway credentials --profile dev");
        assert_eq!(line("/my agent/$x").unwrap(), "'/my agent/$x' credentials --profile dev");
        assert!(line("/it's").is_err() && line("/a\nb").is_err());
    }
}

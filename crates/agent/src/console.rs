use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::environment::Environment;
use crate::escape::Escaping;
use crate::neutralise::neutralise;
use crate::variables::Variables;

/// Lines of a secret up to this length are not registered as masks: they would blot out the whole log.
pub const SHORTEST_MASK: usize = 4;

/// The only writer to the task's standard output, which the agent reads line by line.
///
/// What it prints is neutralised, what it puts into commands is escaped, and a secret gets out only as [`Masked`],
/// which exists only after the agent has been told to mask it. Command names and their rules: "Logging commands" in
/// the Azure Pipelines documentation.
pub struct Console {
    out: Mutex<Box<dyn Write + Send>>,
    masked: Mutex<Vec<SecretString>>,
    escaping: Escaping,
    debug: bool,
    broken: AtomicBool,
}

/// A secret that the agent has been told to mask. Only [`Console::mask`] makes one.
#[derive(Debug, Clone)]
pub struct Masked(SecretString);

impl Masked {
    /// The secret behind the mask.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// Whether it holds a line feed, which the agent refuses in a secret variable.
    #[must_use]
    pub fn is_multi_line(&self) -> bool {
        self.0.expose_secret().contains('\n')
    }
}

/// The agent takes no secret variable that holds a line break (`SYSTEM_UNSAFEALLOWMULTILINESECRET` apart).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value has several lines, and the agent takes no secret variable of several lines")]
pub struct MultiLineSecret;

impl Console {
    /// A console on standard output for the job that `environment` describes.
    #[must_use]
    pub fn stdout(environment: &Environment) -> Self {
        Self::new(environment, Box::new(std::io::stdout()))
    }

    /// A console that writes elsewhere.
    #[must_use]
    pub fn new(environment: &Environment, out: Box<dyn Write + Send>) -> Self {
        let variables = Variables::new(environment);
        Self {
            out: Mutex::new(out),
            masked: Mutex::default(),
            escaping: Escaping::new(variables.public("DECODE_PERCENTS")),
            debug: variables.debug(),
            broken: AtomicBool::new(false),
        }
    }

    /// Whether something could not be written: then the agent has not seen all of it, and the step must fail.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Lines for the person who reads the log.
    pub fn info(&self, text: &str) {
        self.line(&neutralise(text));
    }

    /// Begins lines that the log shows folded, below a title.
    pub fn group(&self, title: &str) {
        self.line(&format!("##[group]{}", neutralise(title).replace('\n', " ")));
    }

    /// Ends what [`Console::group`] began.
    pub fn end_group(&self) {
        self.line("##[endgroup]");
    }

    /// Lines shown only when the pipeline runs with `System.Debug`.
    pub fn debug(&self, text: &str) {
        if self.debug {
            self.command("task.debug", &[], &neutralise(text));
        }
    }

    /// Something that the reader should know although the step goes on.
    pub fn warning(&self, text: &str) {
        self.command("task.logissue", &[("type", "warning")], &neutralise(text));
    }

    /// The failure of the step: one error, then the step's result.
    pub fn fail(&self, text: &str) {
        self.command("task.logissue", &[("type", "error")], &neutralise(text));
        self.command("task.complete", &[("result", "Failed")], "");
    }

    /// How far the step is, in percent.
    pub fn progress(&self, percent: u8) {
        self.command("task.setprogress", &[("value", &percent.min(100).to_string())], "");
    }

    /// Registers a secret: the agent shows `***` for it from here on. Each line of several is registered by itself.
    pub fn mask(&self, secret: &SecretString) -> Masked {
        for line in secret.expose_secret().split(['\r', '\n']) {
            self.mask_line(line);
            if line.trim() != line {
                self.mask_line(line.trim());
            }
        }
        Masked(secret.clone())
    }

    fn mask_line(&self, line: &str) {
        if line.chars().count() >= SHORTEST_MASK {
            self.command("task.setsecret", &[], line);
            self.masked.lock().unwrap_or_else(PoisonError::into_inner).push(SecretString::from(line));
        }
    }

    /// The texts that the log shows as `***` because of [`Console::mask`]; for what the agent does not mask.
    #[must_use]
    pub fn masked(&self) -> Vec<SecretString> {
        self.masked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets a secret variable: later steps get it only through an `env:` mapping or `$(name)`.
    ///
    /// # Errors
    /// [`MultiLineSecret`] when the value has line breaks; nothing is set then.
    pub fn set_secret_variable(&self, name: &str, value: &Masked) -> Result<(), MultiLineSecret> {
        if value.is_multi_line() {
            return Err(MultiLineSecret);
        }
        self.set("task.setvariable", name, &[("issecret", "true")], value.0.expose_secret());
        Ok(())
    }

    /// Sets a secret output variable of the step, which other steps, jobs and stages map as `<step>.<name>`.
    ///
    /// # Errors
    /// [`MultiLineSecret`] when the value has line breaks; nothing is set then.
    pub fn set_secret_output(&self, name: &str, value: &Masked) -> Result<(), MultiLineSecret> {
        if value.is_multi_line() {
            return Err(MultiLineSecret);
        }
        let properties = [("isoutput", "true"), ("issecret", "true")];
        self.set("task.setvariable", name, &properties, value.0.expose_secret());
        Ok(())
    }

    /// Sets an ordinary variable to a masked value: later steps see it in their environment, logs show `***`.
    pub fn set_masked_variable(&self, name: &str, value: &Masked) {
        self.set("task.setvariable", name, &[], value.0.expose_secret());
    }

    /// Sets an ordinary variable.
    pub fn set_variable(&self, name: &str, value: &str) {
        self.set("task.setvariable", name, &[], value);
    }

    /// Sets an output variable of the step, which other steps, jobs and stages read as `<step>.<name>`.
    pub fn set_output(&self, name: &str, value: &str) {
        self.set("task.setvariable", name, &[("isoutput", "true")], value);
    }

    /// Leaves a value for this task's own post-job step. It is not secret.
    pub fn set_task_variable(&self, name: &str, value: &str) {
        self.set("task.settaskvariable", name, &[], value);
    }

    /// Shows the Markdown file at `path` on the run's page. The agent uploads it later, as it is and unmasked.
    pub fn upload_summary(&self, path: &str) {
        self.command("task.uploadsummary", &[], path);
    }

    fn set(&self, command: &str, name: &str, properties: &[(&str, &str)], value: &str) {
        let mut all = vec![("variable", name)];
        all.extend_from_slice(properties);
        self.command(command, &all, value);
    }

    fn command(&self, name: &str, properties: &[(&str, &str)], data: &str) {
        let mut line = format!("##vso[{name}");
        for (index, (key, value)) in properties.iter().enumerate() {
            line.push(if index == 0 { ' ' } else { ';' });
            line.push_str(key);
            line.push('=');
            line.push_str(&self.escaping.property(value));
        }
        line.push(']');
        line.push_str(&self.escaping.data(data));
        self.line(&line);
    }

    fn line(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let written = out.write_all(format!("{text}\n").as_bytes()).and_then(|()| out.flush());
        if written.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn printed(act: impl FnOnce(&Console)) -> String {
        let captured = Captured::default();
        act(&Console::new(&Environment::default(), Box::new(captured.clone())));
        let bytes = captured.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn commands_are_written_as_the_agent_reads_them() {
        let text = printed(|console| {
            console.set_variable("a;b]", "1%\n2");
            console.set_output("accountId", "123456789012");
            console.set_task_variable("STATE", "{\"a\":1}");
            console.progress(120);
            console.fail("no\nway");
        });
        assert_eq!(
            text,
            "##vso[task.setvariable variable=a%3Bb%5D]1%AZP25%0A2\n\
             ##vso[task.setvariable variable=accountId;isoutput=true]123456789012\n\
             ##vso[task.settaskvariable variable=STATE]{\"a\":1}\n\
             ##vso[task.setprogress value=100]\n\
             ##vso[task.logissue type=error]no%0Away\n\
             ##vso[task.complete result=Failed]\n"
        );
    }

    #[test]
    fn text_from_outside_brings_no_command() {
        let text = printed(|console| {
            console.info("key ##vso[task.complete result=Succeeded]x\u{200b}");
            console.warning("##[error]boo");
        });
        assert_eq!(
            text,
            "key # #vso[task.complete result=Succeeded]x\\u{200b}\n\
             ##vso[task.logissue type=warning]# #[error]boo\n"
        );
    }

    #[test]
    fn groups_are_folded_and_their_title_is_one_line() {
        let text = printed(|console| {
            console.group("policy ##[endgroup]\nof x");
            console.info("line");
            console.end_group();
        });
        assert_eq!(text, "##[group]policy # #[endgroup] of x\nline\n##[endgroup]\n");
    }

    #[test]
    fn a_secret_is_masked_line_by_line_before_it_is_set() {
        let text = printed(|console| {
            let masked = console.mask(&secret("first line\r\n  indented\nab\n"));
            assert_eq!(console.set_secret_variable("KEY", &masked), Err(MultiLineSecret));
            let masked = console.mask(&secret("p%w;d]"));
            console.set_secret_variable("PASSWORD", &masked).unwrap();
        });
        assert_eq!(
            text,
            "##vso[task.setsecret]first line\n\
             ##vso[task.setsecret]  indented\n\
             ##vso[task.setsecret]indented\n\
             ##vso[task.setsecret]p%AZP25w;d]\n\
             ##vso[task.setvariable variable=PASSWORD;issecret=true]p%AZP25w;d]\n"
        );
    }

    #[test]
    fn short_secrets_are_not_registered() {
        assert_eq!(printed(|console| drop(console.mask(&secret("AWS")))), "");
    }

    #[test]
    fn debug_lines_need_the_debug_variable() {
        assert_eq!(printed(|console| console.debug("x")), "");
    }

    #[test]
    fn a_closed_output_is_noticed() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let console = Console::new(&Environment::default(), Box::new(Closed));
        console.info("x");
        assert!(console.is_broken());
    }
}

//! Command line programs that give tokens: run without a shell, without input, within a bound on time and output.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::Call;
use crate::error::Error;
use crate::http::Failure;

/// An answer is a token and a few fields; a larger one is cut off.
const MAX_OUTPUT: u64 = 256 * 1024;
/// Longest text of a program that an error repeats, in characters.
const MAX_TEXT: usize = 300;
/// Between two looks at whether the program has ended.
const LOOK: Duration = Duration::from_millis(5);

/// The file of program `name` in the directories of `PATH`.
pub(super) fn find(name: &str, variables: &HashMap<String, String>) -> Option<PathBuf> {
    let path = variables.get("PATH").or_else(|| variables.get("Path"))?;
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd"] } else { &[""] };
    let files = std::env::split_paths(path).filter(|directory| directory.is_absolute());
    files.flat_map(|directory| endings.iter().map(move |ending| directory.join(format!("{name}{ending}")))).find(|file| file.is_file())
}

/// Runs `file`; gives what it wrote. No argument may be a secret: every process of the machine can read them.
pub(super) async fn run(file: &Path, arguments: &[&str], call: &Call<'_>) -> Result<Vec<u8>, Failure> {
    let name = Named { file: file.to_owned(), arguments: arguments.iter().map(|&argument| argument.to_owned()).collect() };
    let variables = call.settings.variables().clone();
    let deadline = call.deadline;
    let ran = tokio::task::spawn_blocking(move || run_blocking(&name, &variables, deadline)).await;
    ran.map_err(|_| Error::internal("running a program was interrupted"))?
}

/// The same, with the answer read as JSON.
pub(super) async fn json<T: DeserializeOwned>(file: &Path, arguments: &[&str], call: &Call<'_>) -> Result<T, Failure> {
    let output = run(file, arguments, call).await?;
    serde_json::from_slice(&output).map_err(|error| {
        // serde's message may quote the token: only the place is kept.
        let message = format!(
            "{} wrote no JSON of the expected shape ({} bytes; line {}, column {})",
            Named { file: file.to_owned(), arguments: arguments.iter().map(|&argument| argument.to_owned()).collect() },
            output.len(),
            error.line(),
            error.column()
        );
        Error::invalid_response(message).with_hint("run the command yourself; it may be too old").into()
    })
}

/// A program and its arguments, as messages name them.
struct Named {
    file: PathBuf,
    arguments: Vec<String>,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file.file_stem().unwrap_or_default().to_string_lossy();
        write!(f, "`{name} {}`", self.arguments.join(" "))
    }
}

fn run_blocking(name: &Named, variables: &HashMap<String, String>, deadline: Instant) -> Result<Vec<u8>, Failure> {
    let spawned = Command::new(&name.file)
        .args(&name.arguments)
        // The environment as JavaScript has it: reading the process's own beside a thread that changes it is not safe.
        .env_clear()
        .envs(variables)
        // A program that asks a question gets no answer, and ends.
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.map_err(|error| {
        let message = format!("{name} cannot be started: {}", error.kind());
        Error::program_failed(message).with_hint("check the file and its permissions").with_source(error)
    })?;
    // Read beside waiting, because a full pipe would stop the program; by threads that nobody waits for, because a program may leave
    // children behind that hold the pipes open.
    let output = collect(child.stdout.take());
    let complaint = collect(child.stderr.take());
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                let error = Error::timed_out(format!("{name} did not end in time and was stopped"));
                let hint = "run the command yourself: it may be waiting for a login; raise connectionTimeoutMillis if it is slow";
                return Err(Failure::transient(error.with_hint(hint)));
            }
        }
    };
    let rest = Duration::from_secs(1);
    let output = output.recv_timeout(rest).unwrap_or_default();
    if status.success() {
        return Ok(output);
    }
    let complaint = complaint.recv_timeout(rest).unwrap_or_default();
    let ended = status.code().map_or_else(|| "by a signal".to_owned(), |code| format!("with exit code {code}"));
    let error = Error::program_failed(format!("{name} ended {ended}: {}", harmless(&complaint)));
    Err(error.with_hint("run the command yourself; mostly a new login is needed").into())
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(MAX_OUTPUT).read_to_end(&mut bytes);
            let _ = sender.send(bytes);
            // The rest goes nowhere, but is taken: a program that cannot write would not end.
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
    });
    receiver
}

/// A program's complaint on one line, without what looks like a token.
fn harmless(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let looks_secret = |word: &str| ["eyJ", "dapi", "dose"].iter().any(|start| word.contains(start)) || word.len() > 120;
    let words = text.split_whitespace().map(|word| if looks_secret(word) { "[redacted]" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_TEXT) {
        _ if line.is_empty() => "it gave no reason".into(),
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

//! What is said over a broker's socket: one line asks, one JSON object answers, and the connection ends.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::keeper::Keeper;

/// A question is one of two short words.
const LONGEST_QUESTION: u64 = 32;
/// Whoever connects and says nothing is hung up on.
const QUESTION_TIME: Duration = Duration::from_secs(5);

/// What a broker can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// For credentials.
    Credentials,
    /// To end.
    Stop,
}

/// What it answers.
pub(crate) enum Response {
    /// The document of a `credential_process`, or nothing for [`Request::Stop`].
    Done(SecretString),
    /// Why not.
    Refused(String),
}

impl Request {
    pub(super) fn line(self) -> &'static str {
        match self {
            Self::Credentials => "credentials\n",
            Self::Stop => "stop\n",
        }
    }

    fn read(line: &str) -> Option<Self> {
        [Self::Credentials, Self::Stop].into_iter().find(|request| request.line() == line)
    }
}

impl Response {
    /// Reads an answer.
    pub(super) fn read(text: SecretString) -> Self {
        let refused = serde_json::from_str::<Value>(text.expose_secret())
            .ok()
            .and_then(|answer| answer.get("error").and_then(Value::as_str).map(str::to_owned));
        refused.map_or(Self::Done(text), Self::Refused)
    }

    fn text(&self) -> SecretString {
        match self {
            Self::Done(document) => document.clone(),
            Self::Refused(reason) => SecretString::from(json!({ "error": reason }).to_string()),
        }
    }
}

/// Answers one connection. The client speaks first: who can only read gets nothing.
pub(super) async fn answer(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    keeper: &Keeper,
    stop: &Notify,
) -> std::io::Result<()> {
    let Ok(question) = tokio::time::timeout(QUESTION_TIME, question(&mut stream)).await else {
        return Ok(());
    };
    let request = Request::read(&question?);
    let response = match request {
        None => Response::Refused("the question is not understood".to_owned()),
        Some(Request::Stop) => Response::Done(SecretString::from("{}")),
        Some(Request::Credentials) => match keeper.offer().await {
            Ok(offer) => Response::Done(offer.for_process()),
            Err(reason) => Response::Refused(reason),
        },
    };
    stream.write_all(response.text().expose_secret().as_bytes()).await?;
    stream.shutdown().await?;
    if request == Some(Request::Stop) {
        stop.notify_one();
    }
    Ok(())
}

async fn question(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut line = String::new();
    let mut limited = stream.take(LONGEST_QUESTION);
    let mut byte = [0];
    while !line.ends_with('\n') && limited.read(&mut byte).await? == 1 {
        line.push(char::from(byte[0]));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_identity::{AccessKey, Caller, Session};

    async fn asked(question: &str) -> (String, bool) {
        let key = AccessKey { id: "AKIA".to_owned(), secret: "s".into(), session_token: None };
        let caller = Caller { account: "123456789012".parse().unwrap(), arn: String::new() };
        let keeper = Keeper::new(Session { key, expires_at: None, caller }, false);
        let stop = Notify::new();
        let (mut client, server) = tokio::io::duplex(1024);
        client.write_all(question.as_bytes()).await.unwrap();
        answer(server, &keeper, &stop).await.unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        let stopped = tokio::time::timeout(Duration::from_millis(10), stop.notified()).await.is_ok();
        (text, stopped)
    }

    #[tokio::test]
    async fn questions_are_two_words() {
        let (text, stopped) = asked("credentials\n").await;
        assert!(text.contains("\"AKIA\"") && !stopped, "{text}");
        assert_eq!(asked("stop\n").await, ("{}".to_owned(), true));
        for other in
            ["GET / HTTP/1.1\r\n", "credentials please, and quickly, for all of us here\n", "stop it\n"]
        {
            let (text, stopped) = asked(other).await;
            assert!(text.contains("error") && !stopped, "{text}");
        }
    }
}

//! A server that speaks enough S3 to measure transfers against, and costs little itself.
//!
//! It keeps of what is put only size and checksum, makes up what is asked for, waits before each answer, refuses
//! and cuts connections at given rates, and counts. It prints its address, and when its standard input ends the
//! counts and then a line for each object that was put.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test support: what cannot be done ends here")]

mod aws_chunked;
mod content;
mod objects;
mod s3;
mod state;
mod tls;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use state::State;

#[derive(Debug, Clone, Parser)]
#[command(about = "Speaks enough S3 to measure transfers against")]
pub(crate) struct Options {
    /// Speaks TLS and writes the certificate of its authority to this file.
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Waits so many milliseconds before each answer.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Answers this share of object requests with 503 `SlowDown`.
    #[arg(long, default_value_t = 0.0)]
    slow_down: f64,
    /// Cuts the connection of this share of object requests.
    #[arg(long, default_value_t = 0.0)]
    reset: f64,
    /// Objects that are there, as `COUNTxBYTES`.
    #[arg(long)]
    objects: Option<String>,
    /// Verifies the checksum of what is put, and keeps it.
    #[arg(long)]
    verify: bool,
    /// Threads that serve.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.threads)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(serve(options));
    runtime.shutdown_background();
}

async fn serve(options: Options) {
    let acceptor = options.ca_file.as_deref().map(tls::acceptor);
    let state = Arc::new(State::new(&options));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    println!("{scheme}://localhost:{}", listener.local_addr().unwrap().port());
    tokio::select! {
        () = accept(listener, acceptor, Arc::clone(&state)) => {}
        () = input_ended() => print!("{}{}", state.describe(), state.describe_objects()),
    }
}

async fn input_ended() {
    let mut rest = Vec::new();
    let _ = tokio::io::stdin().read_to_end(&mut rest).await;
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, state: Arc<State>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        state.counts.connection();
        tokio::spawn(connection(stream, acceptor.clone(), Arc::clone(&state)));
    }
}

async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, state: Arc<State>) {
    match acceptor {
        None => answer_all(stream, state).await,
        Some(acceptor) => {
            // rustls asks for 4 KiB at a time.
            let stream = BufReader::with_capacity(128 << 10, stream);
            if let Ok(stream) = acceptor.accept(stream).await {
                answer_all(stream, state).await;
            }
        }
    }
}

async fn answer_all(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, state: Arc<State>) {
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { s3::answer(&state, request).await }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Waits as the options say.
pub(crate) async fn latency(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}
